//! The job `sync`: a source's records, object by object, page by page.

use aam::db::{Connection, runs};
use aam::ingest::{Counts, Passage};
use anyhow::Context;
use chrono::{DateTime, Utc};
use platform::Platform;
use schema::TenantId;
use schema::source::ObjectKey;
use serde::{Deserialize, Serialize};
use sources::SourceError;
use sources::postgres::{Line, Object, Order, Table};

use super::object::{Current, Way};
use super::place::Place;
use super::source::Source;
use super::{Halt, Lines, Mode, Pull, internal};
use crate::db::jobs::Job;
use crate::db::{positions, stored};
use crate::worker::{SliceOutcome, TimeLimit};

/// The kind of its jobs.
pub(crate) const KIND: &str = "sync";

/// For how long one may run.
pub(crate) const LIMIT: TimeLimit = TimeLimit {
    hours: 24,
    advice: "sync fewer tables at a time, with {\"objects\": [\"…\"]}",
};

/// How far a sync is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    /// Of all objects.
    counts: Counts,
    /// How many objects are done.
    done: usize,
    current: Option<Current>,
    /// What went wrong with single objects; the others go on.
    #[serde(default)]
    troubles: Vec<String>,
}

/// Does one slice of a sync: begins an object, or brings one page of it in.
pub(crate) async fn step(
    platform: &Platform,
    conn: &mut Connection,
    lines: &mut Lines,
    (tenant, job): (TenantId, &Job),
    now: DateTime<Utc>,
) -> anyhow::Result<SliceOutcome> {
    let pull: Pull =
        serde_json::from_value(job.payload.clone()).context("the payload of a sync")?;
    let progress = job.progress.clone().map(serde_json::from_value).transpose();
    let mut progress: Progress = progress
        .context("the progress of a sync")?
        .unwrap_or_default();
    let Some(source) = Source::find(conn, tenant, pull.connection_id)
        .await
        .map_err(internal)?
    else {
        return Ok(SliceOutcome::Failed(
            "the connection was deleted".to_owned(),
        ));
    };
    let names = pull.names(&source);
    if progress.current.is_none() && progress.done == names.len() {
        return progress.end();
    }
    let work = Work {
        platform,
        source: &source,
        pull: &pull,
        tenant,
        now,
    };
    let done = match progress.current.take() {
        Some(current) => work.go_on(conn, lines, current, &mut progress).await,
        None => work.begin(conn, lines, &names, &mut progress).await,
    };
    match done {
        Ok(()) => Ok(SliceOutcome::More(serde_json::to_value(progress)?)),
        Err(Halt::Platform(error)) => Err(error),
        Err(Halt::Source(trouble)) => {
            lines.hang_up().await;
            Ok(trouble.into())
        }
    }
}

impl Progress {
    fn end(self) -> anyhow::Result<SliceOutcome> {
        if self.troubles.is_empty() {
            return Ok(SliceOutcome::Done(serde_json::to_value(self.counts)?));
        }
        Ok(SliceOutcome::Failed(self.troubles.join("; ")))
    }
}

/// What the steps of one slice share.
struct Work<'a> {
    platform: &'a Platform,
    source: &'a Source,
    pull: &'a Pull,
    tenant: TenantId,
    now: DateTime<Utc>,
}

impl Work<'_> {
    /// Takes up the next object: learns its structure and begins its run.
    async fn begin(
        &self,
        conn: &mut Connection,
        lines: &mut Lines,
        names: &[String],
        progress: &mut Progress,
    ) -> Result<(), Halt> {
        let name = &names[progress.done];
        progress.done += 1;
        let Some((index, object)) = self.source.config.object(name) else {
            progress
                .troubles
                .push(format!("`{name}` is no longer in the connection's config"));
            return Ok(());
        };
        let place = self.place(object);
        let line = self
            .source
            .line(self.platform, conn, self.tenant, lines)
            .await?;
        let table = match line.table(index, object).await {
            Ok(table) => table,
            Err(trouble) => return progress.note(trouble),
        };
        let order = order(line, &table, (index, object)).await;
        let way = match &order {
            Ok(order) => self.way(conn, line, object, order).await?,
            Err(_) => Way::Over,
        };
        let left_out = match &order {
            Ok(order) => left_out(line, object, order, &way).await?,
            Err(_) => None,
        };
        place.hold(conn).await?;
        place.learn(conn, &table.schema()).await?;
        let order = match order {
            Ok(order) => order,
            Err(trouble) => return progress.note(trouble),
        };
        let stored = ObjectKey {
            connection: self.pull.connection_id,
            name,
        };
        let before = match way {
            Way::All { .. } => Some(stored::count_raw(conn, self.tenant, stored).await?),
            _ => None,
        };
        // Somebody knows of what is not shown.
        let secured = table.secured.filter(|_| !self.pull.confirm_deletes);
        let mut current = Current::new(name.clone(), (order, secured, before), way, self.now);
        current.warnings.extend(left_out);
        let stream = place.stream(conn).await?;
        Passage::new(stream, current.run()).begin(conn).await?;
        progress.current = Some(current);
        Ok(())
    }

    /// From where on an object is read.
    async fn way(
        &self,
        conn: &mut Connection,
        line: &mut Line,
        object: &Object,
        order: &Order,
    ) -> Result<Way, Halt> {
        let Some(cursor) = &order.cursor else {
            return Ok(Way::All {
                after: None,
                newest: None,
            });
        };
        if self.pull.mode == Mode::Incremental {
            let name = object.name();
            let place = ObjectKey {
                connection: self.pull.connection_id,
                name: &name,
            };
            if let Some(since) = positions::find(conn, self.tenant, place, cursor).await? {
                return Ok(Way::Changed { since, after: None });
            }
        }
        let newest = line.newest(object, cursor).await;
        Ok(Way::All {
            after: None,
            newest: newest.map_err(Halt::Source)?,
        })
    }

    /// Brings the next page of the current object in.
    async fn go_on(
        &self,
        conn: &mut Connection,
        lines: &mut Lines,
        mut current: Current,
        progress: &mut Progress,
    ) -> Result<(), Halt> {
        let Some((_, object)) = self.source.config.object(&current.object) else {
            let trouble = format!(
                "`{}` is no longer in the connection's config",
                current.object
            );
            runs::fail(conn, self.tenant, current.run, &trouble, self.now).await?;
            progress.troubles.push(trouble);
            return Ok(());
        };
        let place = self.place(object);
        let line = self
            .source
            .line(self.platform, conn, self.tenant, lines)
            .await?;
        let allowed = current.check_deletes(self.pull.confirm_deletes);
        let asked = match allowed {
            Ok(()) => current.ask(conn, &place, line).await,
            Err(halt) => Err(halt),
        };
        let found = match asked {
            Ok(found) => found,
            Err(Halt::Source(trouble)) if !trouble.is_transient() => {
                lines.hang_up().await;
                let reason = trouble.to_string();
                runs::fail(conn, self.tenant, current.run, &reason, self.now).await?;
                progress.counts += current.counts();
                return progress.note(trouble);
            }
            Err(halt) => return Err(halt),
        };
        place.hold(conn).await?;
        current.take(conn, &place, found).await?;
        if current.is_over() {
            current.finish(conn, &place).await?;
            progress.counts += current.counts();
        } else {
            progress.current = Some(current);
        }
        Ok(())
    }

    fn place<'a>(&'a self, object: &'a Object) -> Place<'a> {
        Place {
            tenant: self.tenant,
            connection: self.pull.connection_id,
            system: self.source.system,
            object,
            now: self.now,
        }
    }
}

/// How a table can be read, if its cursor tells of changes.
async fn order(
    line: &mut Line,
    table: &Table,
    (index, object): (usize, &Object),
) -> Result<Order, SourceError> {
    let order = table.order(index, object)?;
    line.check_cursor(index, object, &order).await?;
    Ok(order)
}

/// What an incremental sync does not read.
async fn left_out(
    line: &mut Line,
    object: &Object,
    order: &Order,
    way: &Way,
) -> Result<Option<String>, Halt> {
    let (Way::Changed { .. }, true, Some(cursor)) = (way, order.nullable, &order.cursor) else {
        return Ok(None);
    };
    let found = line.has_null_cursors(object, cursor).await;
    Ok(found.map_err(Halt::Source)?.then(|| {
        format!(
            "rows of `{}` whose `{}` is null were left out: a full sync reads them",
            object.name(),
            cursor.name
        )
    }))
}

impl Progress {
    /// Goes on without an object that cannot be read, unless that may pass.
    fn note(&mut self, trouble: SourceError) -> Result<(), Halt> {
        if trouble.is_transient() {
            return Err(Halt::Source(trouble));
        }
        self.troubles.push(trouble.to_string());
        Ok(())
    }
}
