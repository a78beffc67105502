-- The key that a synced row has at its source: a JSON array of the source's own spellings. Null
-- where a record came another way, or where its row bears another id by now.
alter table raw_records add column source_key text;
alter table quarantined_records add column source_key text;
create index raw_records_key_idx
  on raw_records (tenant_id, connection_id, object, md5(source_key))
  where source_key is not null;
create index quarantined_records_key_idx
  on quarantined_records (tenant_id, connection_id, object, md5(source_key))
  where source_key is not null;

alter table runs
  -- Of those that were quarantined: rows whose record is another row's.
  add column collisions bigint not null default 0,
  -- What a run that succeeded has left undone, and why.
  add column warning text;
