//! Which mapping an object's records are read with, and how another one comes into force.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use mapping::{Plan, shipped};
use platform::audit::{self, Entry};
use platform::{Caller, JobAccepted};
use schema::entity::Entities;
use schema::mapping::{FieldMapping, Mapping, Transform};
use schema::source::{ObjectKey, ObjectRef, parse_path};
use schema::{Error, TenantId};
use serde_json::json;

use crate::db::mappings::{self, MappingVersion, NewMapping};
use crate::db::{self, Connection, custom_entities, source_objects};
use crate::replay::{Phase, Replay};

/// The object's current mapping. Where it has none yet, the object is registered and the shipped
/// mapping becomes its version 1: that for a file with these columns, where they are known.
pub async fn current_or_shipped(
    conn: &mut Connection,
    tenant: TenantId,
    (object, columns): (&ObjectRef, Option<&[String]>),
    now: DateTime<Utc>,
) -> db::Result<(MappingVersion, Mapping)> {
    if let Some(current) = mappings::current(conn, tenant, object.key()).await? {
        return Ok(current);
    }
    source_objects::insert_once(conn, tenant, object).await?;
    let mapping = shipped(object, columns.unwrap_or_default());
    let new = NewMapping {
        version: 1,
        mapping: &mapping,
        author: "shipped",
        reason: "the first records of the object came",
        now,
    };
    if mappings::insert(conn, tenant, object.key(), &new).await? {
        let version = MappingVersion {
            number: 1,
            created_at: now,
        };
        return Ok((version, mapping.into_owned()));
    }
    // Somebody else was first; theirs may even have successors by now.
    let current = mappings::current(conn, tenant, object.key()).await?;
    Ok(current.expect("a version that is taken is there, and stays"))
}

/// What the object's records are read with at first; no columns where they are not known.
fn shipped(object: &ObjectRef, columns: &[String]) -> Cow<'static, Mapping> {
    let kind = &*object.entity.kind;
    let of_system = match object.is_canonical() {
        true => None,
        false => shipped::find_for_file(&object.system, kind, columns),
    };
    match of_system {
        Some(mapping) => Cow::Borrowed(mapping),
        None => shipped::identity_of(&object.entity),
    }
}

/// Whether a file with these columns has all that the shipped mapping cannot do without.
pub(crate) fn shipped_fits(object: &ObjectRef, columns: &[String]) -> bool {
    if object.entity.is_unmapped() {
        return false;
    }
    let mapping = shipped(object, columns);
    let is_there = |path: &String| {
        let keys = parse_path(path).unwrap_or_default();
        let first = keys.first();
        first.is_some_and(|it| columns.contains(it))
    };
    let comes = |field: &FieldMapping| {
        field.sources.iter().any(is_there)
            || field
                .transforms
                .iter()
                .any(|it| matches!(it, Transform::Constant { .. } | Transform::Default { .. }))
    };
    let mut required = object.entity.fields.iter().filter(|it| it.required);
    required.all(|field| {
        let row = mapping.fields.iter().find(|it| it.target == field.name);
        row.is_some_and(comes)
    })
}

/// A version that somebody wants.
#[derive(Debug, Clone, Copy)]
pub struct NewVersion<'a> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// Who wants it: `user:<id>`.
    pub author: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// A version that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adopted {
    /// Its number.
    pub version: i32,
    /// Where a replay has to begin so that what is stored follows; none where the version was in
    /// force already.
    pub replay_from: Option<Phase>,
}

/// Makes the mapping the object's next version, unless the current one says the same.
///
/// # Errors
/// [`Error::Invalid`] where it cannot be compiled, with pointers from its root;
/// [`Error::NotFound`] where there is no such object.
pub async fn adopt(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    wanted: NewVersion<'_>,
    now: DateTime<Utc>,
) -> platform::Result<Adopted> {
    custom_entities::hold_fields(conn, tenant, &wanted.mapping.entity).await?;
    let entities = custom_entities::entities(conn, tenant).await?;
    let plan = Plan::compile_for(&entities, wanted.mapping)?;
    let known = source_objects::lock_known(conn, tenant, object).await?;
    known.ok_or(Error::NotFound {
        what: "source object",
    })?;
    let before = mappings::current(conn, tenant, object).await?;
    if let Some((version, mapping)) = &before
        && mapping == wanted.mapping
    {
        return Ok(Adopted {
            version: version.number,
            replay_from: None,
        });
    }
    let (number, before) = match &before {
        Some((version, mapping)) => (version.number + 1, Some(mapping)),
        None => (1, None),
    };
    let new = NewMapping {
        version: number,
        mapping: wanted.mapping,
        author: wanted.author,
        reason: wanted.reason,
        now,
    };
    mappings::insert(conn, tenant, object, &new).await?;
    source_objects::set_entity(conn, tenant, object, plan.entity()).await?;
    Ok(Adopted {
        version: number,
        replay_from: Some(replay_from(&entities, before, wanted.mapping)),
    })
}

/// A mapping that is in force, and the job by which what is stored follows it.
#[derive(Debug)]
pub struct InForce {
    /// Its version.
    pub version: i32,
    /// Announce it after the commit; none where the version was in force already.
    pub replay: Option<JobAccepted>,
}

/// Brings a mapping into force as [`adopt`] does, notes that in the audit log, and queues the
/// replay that what is stored follows by.
///
/// # Errors
/// As of [`adopt`].
pub async fn adopt_and_replay(
    conn: &mut Connection,
    caller: &Caller,
    object: ObjectKey<'_>,
    (mapping, reason): (&Mapping, &str),
) -> platform::Result<InForce> {
    let author = caller.actor();
    let wanted = NewVersion {
        mapping,
        author: &author,
        reason,
    };
    let adopted = adopt(conn, caller.tenant, object, wanted, platform::now()).await?;
    let mut replay = None;
    if let Some(from) = adopted.replay_from {
        let job = Replay::of_object(object.connection, object.name, from);
        replay = Some(job.queue(conn, caller).await?);
        let place = format!("connection:{}", object.connection);
        let entry = Entry::new(caller, "mapping.adopt", place).after(json!({
            "object": object.name,
            "version": adopted.version,
            "reason": reason,
        }));
        audit::append(conn, caller.tenant, &entry).await?;
    }
    Ok(InForce {
        version: adopted.version,
        replay,
    })
}

/// Where a replay begins: with other ids or another entity, what is stored has to leave the views
/// first.
fn replay_from(entities: &Entities, before: Option<&Mapping>, after: &Mapping) -> Phase {
    let Some(before) = before else {
        return Phase::Raw;
    };
    let key = |mapping: &Mapping| {
        let entity = entities.find(&mapping.entity)?;
        let is_key = |it: &&FieldMapping| entity.is_key(&it.target);
        let mut fields: Vec<_> = mapping.fields.iter().filter(is_key).cloned().collect();
        fields.sort_by(|one, other| one.target.cmp(&other.target));
        Some((entity.kind.to_string(), fields))
    };
    match key(before) == key(after) {
        true => Phase::Raw,
        false => Phase::Reset,
    }
}

#[cfg(test)]
mod tests {
    use schema::{ConnectionId, entity};

    use super::*;

    fn check(object: &ObjectRef, expected: Option<&Mapping>) {
        assert_eq!(Some(&*shipped(object, &[])), expected, "{object:?}");
    }

    #[test]
    fn only_another_id_or_another_entity_takes_records_out_of_the_views() {
        let account = shipped::find("salesforce", "account").unwrap();
        let changed = |change: fn(&mut Mapping)| {
            let mut mapping = account.clone();
            change(&mut mapping);
            replay_from(&Entities::canonical(), Some(account), &mapping)
        };
        let contact = shipped::find("salesforce", "contact").unwrap();
        let canonical = Entities::canonical();
        assert_eq!(replay_from(&canonical, None, account), Phase::Raw);
        assert_eq!(
            replay_from(&canonical, Some(account), contact),
            Phase::Reset
        );
        assert_eq!(changed(|it| it.fields.reverse()), Phase::Raw);
        let other_name = |it: &mut Mapping| {
            let name = it.fields.iter_mut().find(|it| it.target == "name");
            name.unwrap().sources = vec!["Title".to_owned()];
        };
        assert_eq!(changed(other_name), Phase::Raw);
        let other_id = |it: &mut Mapping| {
            let id = it.fields.iter_mut().find(|it| it.target == "account_id");
            id.unwrap().sources = vec!["Number".to_owned()];
        };
        assert_eq!(changed(other_id), Phase::Reset);
        let unmapped = |it: &mut Mapping| {
            it.entity = "unmapped".to_owned();
            it.fields.clear();
        };
        assert_eq!(changed(unmapped), Phase::Reset);
    }

    #[test]
    fn an_object_begins_with_the_mapping_of_its_system_or_with_the_canonical_names() {
        let connection = ConnectionId(uuid::Uuid::nil());
        let account = entity::find("account").unwrap();
        let of = |system: &str| ObjectRef::of_entity(connection, system, account);
        let identity = shipped::identity("account");
        let salesforce = shipped::find("salesforce", "account");
        assert_ne!(salesforce, identity);
        check(&of("salesforce"), salesforce);
        check(&of("unheard-of"), identity);
        check(
            &ObjectRef::canonical(connection, "salesforce", account),
            identity,
        );
    }
}
