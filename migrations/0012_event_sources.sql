-- An event is known by its source and its id. One from before has no source: it is one of every
-- source until it expires.
alter table event_ids
  add column source text not null default '',
  drop constraint event_ids_pkey,
  add constraint event_ids_pkey primary key (tenant_id, connection_id, source, event_id);
