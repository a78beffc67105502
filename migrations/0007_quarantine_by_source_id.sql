-- A record that comes again and is written takes what is kept aside of it out of the quarantine.
alter table quarantined_records
  add column source_id text, -- null where it could not be read
  add column source_version timestamp with time zone;
create index quarantined_records_source_idx
  on quarantined_records (tenant_id, connection_id, object, source_id)
  where source_id is not null;
