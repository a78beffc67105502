-- What a record came with stays with it, whatever mapping reads it later.
alter table raw_records
  -- When it happened at its source, where that is said beside it. `source_version` is what the
  -- mapping reads in the record, else this.
  add column occurred_at timestamp with time zone,
  -- The run that brought it; null for records of before, where it is taken for `run_id`.
  add column origin_run uuid;
alter table quarantined_records
  add column occurred_at timestamp with time zone,
  add column origin_run uuid;
-- Of events the version may have been said beside them.
update raw_records set occurred_at = source_version
where source_version is not null and exists (
  select
  from runs
  where runs.tenant_id = raw_records.tenant_id and runs.connection_id = raw_records.connection_id
    and runs.object = raw_records.object and runs.kind = 'events'
);
