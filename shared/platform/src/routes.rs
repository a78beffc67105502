//! Routes, and what they say about themselves when somebody asks.
//!
//! **Invariant:** a description is made when it is asked for, and not before: most functions start,
//! answer and end without anybody reading theirs, and making it takes longer than all else that a
//! start does.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, Route};
use tower::{Layer, Service};
use utoipa::Path;
use utoipa::openapi::{HttpMethod, OpenApi};

#[doc(hidden)]
pub use pastey::paste;

/// Makes the description of some routes.
type Describe = fn() -> OpenApi;

/// Routes with their descriptions. `S` is the state that they still lack.
pub struct Routes<S = ()> {
    router: Router<S>,
    /// Of each path.
    descriptions: Vec<(String, Describe)>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No route.
    pub fn new() -> Routes<S> {
        Routes {
            router: Router::new(),
            descriptions: Vec::new(),
        }
    }

    /// Adds what [`routes!`](crate::routes!) makes of handlers.
    pub fn routes(mut self, resource: Resource<S>) -> Routes<S> {
        self.router = self.router.route(&resource.path, resource.methods);
        self.descriptions.push((resource.path, resource.describe));
        self
    }

    /// Adds others.
    pub fn merge(mut self, other: Routes<S>) -> Routes<S> {
        self.router = self.router.merge(other.router);
        self.descriptions.extend(other.descriptions);
        self
    }

    /// Puts a layer around those that are here already.
    pub fn layer<L>(mut self, layer: L) -> Routes<S>
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<std::convert::Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.router = self.router.layer(layer);
        self
    }

    /// Gives them their state.
    pub fn with_state<S2>(self, state: S) -> Routes<S2> {
        Routes {
            router: self.router.with_state(state),
            descriptions: self.descriptions,
        }
    }

    /// What answers, and what describes it.
    pub fn split(self) -> (Router<S>, Description) {
        (self.router, Description(self.descriptions))
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Routes<S> {
        Routes::new()
    }
}

/// The description of some routes, before it is made.
pub struct Description(Vec<(String, Describe)>);

impl Description {
    /// Whether that path is among them.
    pub fn has(&self, path: &str) -> bool {
        self.0.iter().any(|(it, _)| it == path)
    }

    /// Makes it.
    pub fn document(&self) -> OpenApi {
        let mut document = OpenApi::default();
        for (_, describe) in &self.0 {
            document.merge(describe());
        }
        document
    }
}

/// The handlers of one path.
pub struct Resource<S> {
    path: String,
    methods: MethodRouter<S>,
    describe: Describe,
}

impl<S: Clone + Send + Sync + 'static> Resource<S> {
    /// No handler yet. [`routes!`](crate::routes!) calls it.
    pub fn new(describe: Describe) -> Resource<S> {
        Resource {
            path: String::new(),
            methods: MethodRouter::new(),
            describe,
        }
    }

    /// Adds a handler, at the path and for the methods of its `#[utoipa::path]`.
    pub fn on<P: Path, H, T>(mut self, handler: H) -> Resource<S>
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.path = P::path();
        for method in P::methods() {
            self.methods = self.methods.on(filter(&method), handler.clone());
        }
        self
    }
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

/// The [`Resource`] of handlers that share a path, each with its `#[utoipa::path]`.
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+) => {
        $crate::routes::paste! {{
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($handler),+))]
            struct Document;
            $crate::routes::Resource::new(<Document as utoipa::OpenApi>::openapi)
                $(.on::<[<__path_ $handler>], _, _>($handler))+
        }}
    };
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static MADE: AtomicUsize = AtomicUsize::new(0);

    #[utoipa::path(get, path = "/one", responses((status = 200)))]
    async fn one() {}

    fn describe() -> OpenApi {
        MADE.fetch_add(1, Ordering::Relaxed);
        OpenApi::default()
    }

    #[test]
    fn a_description_is_made_when_it_is_asked_for() {
        let resource = Resource::new(describe).on::<__path_one, _, _>(one);
        let routes = Routes::new().merge(Routes::new().routes(resource));
        let (_, description) = routes.with_state::<()>(()).split();
        assert!(description.has("/one") && !description.has("/two"));
        assert_eq!(MADE.load(Ordering::Relaxed), 0);
        description.document();
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }
}
