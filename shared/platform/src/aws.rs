//! What the clients of AWS share: the environment's settings, and the transport.

use aws_config::{BehaviorVersion, ConfigLoader};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use crate::https;

/// The settings of the environment: `AWS_REGION`, `AWS_ENDPOINT_URL`, credentials.
///
/// # Errors
/// The system has no certificate authorities.
pub(crate) fn settings() -> std::io::Result<ConfigLoader> {
    Ok(aws_config::defaults(BehaviorVersion::latest()).http_client(Transport::new()?))
}

/// HTTP/1.1, as every API of AWS that is called here speaks it. The SDK's own client brings HTTP/2
/// along, which makes a function larger by a tenth.
///
/// Of the SDK's settings it knows none: a call's time is bounded as a whole.
#[derive(Debug, Clone)]
pub struct Transport(https::Client<SdkBody>);

impl Transport {
    /// # Errors
    /// The system has no certificate authorities.
    pub fn new() -> std::io::Result<Transport> {
        Ok(Transport(https::client()?))
    }
}

impl HttpClient for Transport {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|err| ConnectorError::user(err.into()))?;
            let answer = client
                .request(request)
                .await
                .map_err(|err| ConnectorError::io(err.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|err| ConnectorError::other(err.into(), None))
        })
    }
}
