//! The objects of a connection: what the source has, and what its records become.

use aam::db::source_objects::{self, Said};
use aam::proposals::{self, Accepted, AcceptedField, Answers};
use axum::extract::State;
use platform::audit::{self, Entry};
use platform::extract::{Json, Path};
use platform::page::List;
use platform::{
    Admin, Caller, JobAccepted, Platform, Reader, Result, Routes, db, list_body, routes,
};
use schema::source::ObjectKey;
use schema::{ConnectionId, Error};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::connections;
use super::schedule::double_option;
use crate::connection::{audit_object, cursor};
use crate::db::objects::{self, SourceObject};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(read, change))
}

list_body! {
    /// One page of a connection's objects, by name.
    SourceObjects { objects: [SourceObject] }
}

/// The objects of a connection: tables, files and streams whose records came, or that are named in
/// its config.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/objects", tag = "connect",
    operation_id = "objects.list", params(("id" = ConnectionId, Path), List<SourceObject>),
    security(("bearer" = ["read"])), responses((status = 200, body = SourceObjects)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    list: List<SourceObject>,
) -> Result<Json<SourceObjects>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = objects::count(&mut tx, caller.tenant, id).await?;
    let rows = objects::list(&mut tx, caller.tenant, id, &list.page).await?;
    Ok(list.answer(rows, total))
}

/// One object of a connection.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/objects/{object}", tag = "connect",
    operation_id = "objects.read",
    params(("id" = ConnectionId, Path), ("object" = String, Path)),
    security(("bearer" = ["read"])), responses((status = 200, body = SourceObject)))]
async fn read(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path((id, object)): Path<(ConnectionId, String)>,
) -> Result<Json<SourceObject>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let found = objects::find(&mut tx, caller.tenant, id, &object).await?;
    Ok(Json(found.ok_or(NOT_FOUND)?))
}

/// What a person says of an object. What is left out stays as it is, and null takes it back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"freshness": {"max_age_minutes": 1440}})))]
struct ObjectChange {
    /// What its records are: `account`. Its proposal is for that.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>)]
    entity: Option<Option<String>>,
    /// The source fields that identify a record. Its proposal takes them.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Vec<String>>)]
    key: Option<Option<Vec<String>>>,
    /// The source field that rises when a record changes, for a connection that is pulled from.
    cursor: Option<String>,
    /// How fresh its records shall be.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<FreshnessLimit>)]
    freshness: Option<Option<FreshnessLimit>>,
    /// Whether its records are kept raw and nobody is asked what they are.
    ignored: Option<bool>,
    /// Whether its proposal becomes its mapping.
    #[serde(default)]
    accept: bool,
}

/// How fresh records shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FreshnessLimit {
    /// The object is stale when its last successful run ended longer ago: 1 to 525,600, a year.
    #[schema(minimum = 1, maximum = 525_600)]
    max_age_minutes: i32,
}

/// An object after a change.
#[derive(Serialize, ToSchema)]
struct ObjectChanged {
    #[serde(flatten)]
    object: SourceObject,
    /// What was accepted, and how sure it was.
    accepted: Vec<AcceptedField>,
    /// The job by which what is stored follows; null where nothing was accepted.
    replay: Option<JobAccepted>,
}

/// Changes what is known of an object, and accepts its proposal where `accept` is sent.
///
/// What its records become is said by its mapping: see `/api/v1/dcl/proposals/{connection}/{object}`.
/// A question that is open is refused with 422; answer it there.
#[utoipa::path(put, path = "/api/v1/aam/connections/{id}/objects/{object}", tag = "connect",
    operation_id = "objects.change",
    params(("id" = ConnectionId, Path), ("object" = String, Path)), request_body = ObjectChange,
    security(("bearer" = ["admin"])), responses((status = 200, body = ObjectChanged)))]
async fn change(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path((id, object)): Path<(ConnectionId, String)>,
    Json(change): Json<ObjectChange>,
) -> Result<Json<ObjectChanged>> {
    change.check()?;
    let key = ObjectKey {
        connection: id,
        name: &object,
    };
    let config = match &change.cursor {
        Some(cursor) => Some(Box::pin(cursor::renew(&platform, &caller, key, cursor)).await?),
        None => None,
    };
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    if let Some(config) = config {
        cursor::replace(&mut tx, &platform, (caller.tenant, id), config).await?;
    }
    let accepted = change.apply(&mut tx, &caller, key).await?;
    let found = objects::find(&mut tx, caller.tenant, id, &object).await?;
    let found = found.ok_or(NOT_FOUND)?;
    if change.ignored == Some(true) && found.counted.entity.is_some() {
        let detail = "the object is mapped: delete its mapping first, see \
                      DELETE /api/v1/dcl/mappings/{connection}/{object}";
        return Err(Error::conflict(detail).into());
    }
    audit::append(&mut tx, caller.tenant, &change.entry(&caller, key)).await?;
    tx.commit().await?;
    let (accepted, replay) = match accepted {
        Some(it) => (it.fields, it.in_force.replay),
        None => (vec![], None),
    };
    if let Some(job) = &replay {
        job.announce(&platform).await;
    }
    Ok(Json(ObjectChanged {
        object: found,
        accepted,
        replay,
    }))
}

/// # Errors
/// [`Error::Invalid`] where no, too many or the same fields twice make a key.
fn check_key(key: Option<&Vec<String>>) -> schema::Result<()> {
    let Some(key) = key else { return Ok(()) };
    if !(1..=8).contains(&key.len()) {
        return Err(Error::invalid("/key", "name 1 to 8 source fields"));
    }
    match (1..key.len()).find(|it| key[..*it].contains(&key[*it])) {
        None => Ok(()),
        Some(twice) => {
            let pointer = format!("/key/{twice}");
            Err(Error::invalid(pointer, "is named already: name it once"))
        }
    }
}

impl ObjectChange {
    /// Nothing where it stays as it is.
    fn max_age_minutes(&self) -> Option<Option<i32>> {
        let of = |it: &Option<FreshnessLimit>| it.as_ref().map(|it| it.max_age_minutes);
        self.freshness.as_ref().map(of)
    }

    fn check(&self) -> schema::Result<()> {
        let age = self.max_age_minutes().flatten();
        if age.is_some_and(|it| !(1..=525_600).contains(&it)) {
            let detail = "1 to 525,600 minutes, which is a year";
            return Err(Error::invalid("/freshness/max_age_minutes", detail));
        }
        check_key(self.key.iter().flatten().next())?;
        if self.accept && self.ignored == Some(true) {
            let detail = "an ignored object is not mapped: send `accept` or `ignored`";
            return Err(Error::invalid("/accept", detail));
        }
        Ok(())
    }

    /// Remembers what is said, and makes the proposal a mapping where that is wanted.
    async fn apply(
        &self,
        conn: &mut db::Connection,
        caller: &Caller,
        object: ObjectKey<'_>,
    ) -> Result<Option<Accepted>> {
        let tenant = caller.tenant;
        let said = Said {
            entity: self.entity.as_ref().map(Option::as_deref),
            key: self.key.as_ref().map(Option::as_deref),
            max_age_minutes: self.max_age_minutes(),
        };
        if !source_objects::say(conn, tenant, object, said).await? {
            return Err(NOT_FOUND.into());
        }
        if let Some(ignored) = self.ignored {
            source_objects::set_ignored(conn, tenant, object, ignored).await?;
        }
        let answers = Answers {
            entity: self.entity.clone().flatten(),
            key: self.key.clone().flatten(),
            ..Answers::default()
        };
        if self.accept {
            let reason = "accepted with the object";
            let accepted = proposals::accept(conn, caller, object, &answers, reason).await?;
            return Ok(Some(accepted));
        }
        if answers.entity.is_some() || answers.key.is_some() {
            // What cannot be is refused with its pointer.
            proposals::propose_object(conn, tenant, object, &answers).await?;
        }
        Ok(None)
    }

    fn entry(&self, caller: &Caller, object: ObjectKey<'_>) -> Entry {
        Entry::new(caller, "object.change", audit_object(object.connection)).after(json!({
            "object": object.name,
            "entity": self.entity,
            "key": self.key,
            "cursor": self.cursor,
            "max_age_minutes": self.max_age_minutes(),
            "ignored": self.ignored,
            "accept": self.accept,
        }))
    }
}

const NOT_FOUND: Error = Error::NotFound {
    what: "source object",
};
