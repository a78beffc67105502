//! Declaring custom fields and entities, changing them, and dropping them.
//!
//! **Invariant:** a mapping in force never names a field that is not declared. Whoever brings one
//! into force holds the fields that it may name; whoever drops a field locks it and looks who uses
//! it.

use platform::audit::{self, Entry};
use platform::{Caller, JobAccepted};
use schema::entity::{EntityDeclaration, FieldDeclaration};
use schema::source::ObjectKey;
use schema::{Error, TenantId};
use serde_json::json;

use crate::db::custom_entities::{self as db, Author, CustomField};
use crate::db::{Connection, connections, mappings, source_objects};
use crate::replay::{Phase, Replay};

const TAKEN: &str = "somebody took the name just now: choose another one";
/// How many custom fields of a tenant may have an index.
const MAX_INDEXES: usize = 10;

/// Declares an entity with its fields.
///
/// # Errors
/// [`Error::Invalid`] with pointers from the declaration's root; [`Error::Conflict`] where somebody
/// else took a name at the same time.
pub async fn declare_entity(
    conn: &mut Connection,
    caller: &Caller,
    declared: &EntityDeclaration,
) -> platform::Result<()> {
    let tenant = caller.tenant;
    let faults = declared.faults(&db::entities(conn, tenant).await?);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults).into());
    }
    let actor = caller.actor();
    let author = author(&actor);
    if !db::insert_entity(conn, tenant, declared, author).await? {
        return Err(Error::conflict(TAKEN).into());
    }
    for field in &declared.fields {
        let field = FieldDeclaration {
            required: field.required || declared.key.contains(&field.name),
            ..field.clone()
        };
        db::insert_field(conn, tenant, (&declared.kind, &field), author).await?;
    }
    let entry = Entry::new(
        caller,
        "entity.declare",
        format!("entity:{}", declared.kind),
    );
    audit::append(conn, tenant, &entry.after(json!(declared))).await?;
    Ok(())
}

/// Drops an entity with its fields. Raw records stay.
///
/// # Errors
/// [`Error::NotFound`] where it is none of the tenant's own; [`Error::Conflict`] while an object is
/// mapped to it.
pub async fn drop_entity(
    conn: &mut Connection,
    caller: &Caller,
    kind: &str,
) -> platform::Result<()> {
    let tenant = caller.tenant;
    db::lock_fields(conn, tenant, kind).await?;
    let entity = db::entities(conn, tenant).await?.get(kind)?;
    if !entity.is_custom {
        let detail = format!("{kind} is canonical and stays: drop its custom fields instead");
        return Err(Error::Conflict(detail.into()).into());
    }
    refuse_use(conn, tenant, (kind, None)).await?;
    for (_, field, id) in entity.custom_fields() {
        db::drop_index(conn, tenant, (kind, &field.name), id).await?;
    }
    db::delete_entity(conn, tenant, kind).await?;
    let entry = Entry::new(caller, "entity.drop", format!("entity:{kind}"));
    audit::append(conn, tenant, &entry).await?;
    Ok(())
}

/// Declares a field of an entity.
///
/// # Errors
/// As of [`declare_entity`]; [`Error::NotFound`] where there is no such entity.
pub async fn declare_field(
    conn: &mut Connection,
    caller: &Caller,
    (kind, field): (&str, &FieldDeclaration),
) -> platform::Result<()> {
    let tenant = caller.tenant;
    let entity = db::entities(conn, tenant).await?.get(kind)?;
    let faults = field.faults(&entity);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults).into());
    }
    let actor = caller.actor();
    if !db::insert_field(conn, tenant, (kind, field), author(&actor)).await? {
        return Err(Error::conflict(TAKEN).into());
    }
    let entry = Entry::new(caller, "field.declare", place(kind, &field.name));
    audit::append(conn, tenant, &entry.after(json!(field))).await?;
    Ok(())
}

/// Changes what a field means and which texts it takes. Where the texts change, what is stored is
/// read again: announce the jobs after the commit.
///
/// # Errors
/// [`Error::NotFound`] where the tenant declared no such field; [`Error::Invalid`] where it would
/// have another name or type.
pub async fn change_field(
    conn: &mut Connection,
    caller: &Caller,
    kind: &str,
    changed: &FieldDeclaration,
) -> platform::Result<Vec<JobAccepted>> {
    let tenant = caller.tenant;
    db::lock_fields(conn, tenant, kind).await?;
    let before = find_field(conn, tenant, (kind, &changed.name))
        .await?
        .stored
        .field;
    if before.kind != changed.kind || before.required != changed.required {
        let pointer = match before.kind == changed.kind {
            true => "/required",
            false => "/type",
        };
        let detail = "stays as it is, for values are stored: declare another field instead";
        return Err(Error::invalid(pointer, detail).into());
    }
    let faults = changed.content_faults();
    if !faults.is_empty() {
        return Err(Error::Invalid(faults).into());
    }
    db::update_field(conn, tenant, (kind, changed)).await?;
    let (mut jobs, actor) = (Vec::new(), caller.actor());
    if before.words != changed.words {
        for (connection, object) in db::users(conn, tenant, (kind, Some(&changed.name))).await? {
            let key = ObjectKey {
                connection,
                name: &object,
            };
            source_objects::lock_known(conn, tenant, key).await?;
            // Plans are kept by version, so the same mapping gets another one.
            let why = (actor.as_str(), "the enum of a custom field changed");
            mappings::repeat(conn, tenant, key, why, platform::now()).await?;
            let replay = Replay::of_object(connection, &object, Phase::Raw);
            jobs.push(replay.queue(conn, caller).await?);
        }
    }
    let entry = Entry::new(caller, "field.change", place(kind, &changed.name));
    let entry = entry.before(json!(before)).after(json!(changed));
    audit::append(conn, tenant, &entry).await?;
    Ok(jobs)
}

/// Drops a field. Its values leave the views; raw records stay as they are.
///
/// # Errors
/// [`Error::NotFound`] where the tenant declared no such field; [`Error::Conflict`] while a mapping
/// names it, or where it is of a custom entity's key.
pub async fn drop_field(
    conn: &mut Connection,
    caller: &Caller,
    (kind, name): (&str, &str),
) -> platform::Result<()> {
    let tenant = caller.tenant;
    db::lock_fields(conn, tenant, kind).await?;
    let id = find_field(conn, tenant, (kind, name)).await?.stored.id;
    if db::entities(conn, tenant).await?.get(kind)?.is_key(name) {
        let detail = format!("{name} is part of the key of {kind}: drop the entity instead");
        return Err(Error::Conflict(detail.into()).into());
    }
    refuse_use(conn, tenant, (kind, Some(name))).await?;
    db::drop_index(conn, tenant, (kind, name), id).await?;
    db::delete_field(conn, tenant, (kind, name)).await?;
    let entry = Entry::new(caller, "field.drop", place(kind, name));
    audit::append(conn, tenant, &entry).await?;
    Ok(())
}

/// Gives filters by a field an index, or takes it away. Says whether anything changed.
///
/// # Errors
/// [`Error::NotFound`] where the tenant declared no such field; [`Error::Conflict`] where it cannot
/// have one, or the table is too busy.
pub async fn set_indexed(
    conn: &mut Connection,
    caller: &Caller,
    (kind, name): (&str, &str),
    indexed: bool,
) -> platform::Result<bool> {
    let tenant = caller.tenant;
    db::lock_fields(conn, tenant, kind).await?;
    let field = find_field(conn, tenant, (kind, name)).await?;
    if field.indexed == indexed {
        return Ok(false);
    }
    if indexed {
        check_index(&db::fields(conn, tenant).await?, &field)?;
    }
    let done = match indexed {
        true => db::create_index(conn, tenant, (kind, name)).await,
        false => db::drop_index(conn, tenant, (kind, name), field.stored.id).await,
    };
    done.map_err(|error| match db::is_busy(&error) {
        true => Error::conflict("the table is being written to: try again in a moment"),
        false => Error::Internal(error.into()),
    })?;
    let action = match indexed {
        true => "field.index",
        false => "field.unindex",
    };
    audit::append(conn, tenant, &Entry::new(caller, action, place(kind, name))).await?;
    Ok(true)
}

fn check_index(all: &[CustomField], field: &CustomField) -> schema::Result<()> {
    if field.stored.field.kind == schema::entity::Kind::TextList {
        let detail = "an index serves no filter by a list: `[contains]` works without one";
        return Err(Error::conflict(detail));
    }
    if all.iter().filter(|it| it.indexed).count() >= MAX_INDEXES {
        let detail = format!("there are {MAX_INDEXES} indexes already: drop one first");
        return Err(Error::Conflict(detail.into()));
    }
    Ok(())
}

/// The custom field of that name of an entity.
///
/// # Errors
/// [`Error::NotFound`] where the tenant declared no such field.
pub async fn find_field(
    conn: &mut Connection,
    tenant: TenantId,
    field: (&str, &str),
) -> platform::Result<CustomField> {
    let found = db::find_field(conn, tenant, field).await?;
    Ok(found.ok_or(Error::NotFound {
        what: "custom field",
    })?)
}

/// # Errors
/// [`Error::Conflict`] naming the objects whose mapping in force uses the entity or the field.
async fn refuse_use(
    conn: &mut Connection,
    tenant: TenantId,
    (kind, field): (&str, Option<&str>),
) -> platform::Result<()> {
    let users = db::users(conn, tenant, (kind, field)).await?;
    let Some((first, _)) = users.first() else {
        return Ok(());
    };
    let name = connections::name(conn, tenant, *first)
        .await?
        .unwrap_or_default();
    let of_first = users
        .iter()
        .filter(|it| it.0 == *first)
        .map(|it| it.1.as_str());
    let objects: Vec<_> = of_first.take(5).collect();
    let what = match field {
        Some(_) => "take it out of the mapping first",
        None => "delete the mapping, or map the object to another entity, first",
    };
    let detail = format!(
        "{} of {name} {}: {what}",
        objects.join(", "),
        match users.len() {
            1 => "is mapped to it".to_owned(),
            all if all == objects.len() => "are mapped to it".to_owned(),
            all => format!("and others, {all} objects in all, are mapped to it"),
        }
    );
    Err(Error::Conflict(detail.into()).into())
}

fn place(kind: &str, name: &str) -> String {
    format!("field:{kind}.{name}")
}

fn author(actor: &str) -> Author<'_> {
    Author {
        actor,
        at: platform::now(),
    }
}
