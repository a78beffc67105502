//! The mapping registry: which mapping each object's records are read with, version by version.
//!
//! A version never changes. To change a mapping is to add a version, which what is stored follows by
//! a replay; to go back is to add an older version again.

mod change;
mod fields;
mod preview;
mod preview_file;
mod read;

pub(crate) use change::{MappingAdopted, check_reason};

use aam::db::{connections, source_objects};
use platform::{Platform, Routes, db};
use schema::source::ObjectKey;
use schema::{ConnectionId, Error, TenantId};
use serde::Deserialize;
use utoipa::IntoParams;

/// The routes of the registry.
pub(crate) fn router() -> Routes<Platform> {
    read::router()
        .merge(change::router())
        .merge(fields::router())
        .merge(preview::router())
}

/// Which object a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ObjectPath {
    /// The connection's id or name.
    #[param(example = "Files")]
    pub(crate) connection: String,
    /// The object, such as `hubspot.account`.
    #[param(example = "people_crm")]
    pub(crate) object: String,
}

/// An object that a path names, with the id of its connection.
pub(crate) struct NamedObject {
    pub(crate) connection: ConnectionId,
    pub(crate) connection_name: String,
    pub(crate) name: String,
}

impl NamedObject {
    /// The object of that very name; of a name that is none, the one that it is in small letters, as
    /// files are called.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the tenant has no such connection.
    pub(crate) async fn find(
        conn: &mut db::Connection,
        tenant: TenantId,
        path: ObjectPath,
    ) -> platform::Result<NamedObject> {
        let found = connections::find_by_id_or_name(conn, tenant, &path.connection).await?;
        let (connection, connection_name) = found.ok_or(Error::NotFound { what: "connection" })?;
        let mut object = NamedObject {
            connection,
            connection_name,
            name: path.object,
        };
        let small = object.name.to_lowercase();
        if small != object.name
            && source_objects::find(conn, tenant, object.key())
                .await?
                .is_none()
        {
            let key = ObjectKey {
                connection,
                name: &small,
            };
            if source_objects::find(conn, tenant, key).await?.is_some() {
                object.name = small;
            }
        }
        Ok(object)
    }

    pub(crate) fn key(&self) -> ObjectKey<'_> {
        ObjectKey {
            connection: self.connection,
            name: &self.name,
        }
    }
}

/// What an object without a mapping is told.
const NO_MAPPING: Error = Error::NotFound { what: "mapping" };
