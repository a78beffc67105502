-- Of two rows of a file with one id the first counts, whenever that id is known.
alter table raw_records
  add column line bigint, -- in its file
  -- Whether the mapping in force does not take it: it is kept, and in no view.
  add column unfit boolean not null default false;
update raw_records set unfit = true
where exists (
  select
  from quarantined_records q
  where q.tenant_id = raw_records.tenant_id and q.connection_id = raw_records.connection_id
    and q.object = raw_records.object and q.content_hash = raw_records.content_hash
);
-- A run and a line tell such rows apart now; what is left are keys of the source.
update raw_records set source_key = null where starts_with(source_key, 'unmapped:');
update quarantined_records set source_key = null where starts_with(source_key, 'unmapped:');
alter table quarantined_records
  -- Whether it says that its record was deleted.
  add column deleted boolean not null default false;
update quarantined_records set deleted = true
where content_hash = sha256('deleted'::bytea || convert_to(payload, 'UTF8'));
