-- How often a connection's source is asked by itself, and when the next time is.
alter table connections
  add column sync_every_minutes integer,
  add column sync_due_at timestamp with time zone,
  add column schema_check_every_hours integer,
  add column schema_check_due_at timestamp with time zone,
  add constraint connections_sync_every_check check (sync_every_minutes between 5 and 10080),
  add constraint connections_schema_check_every_check
    check (schema_check_every_hours between 1 and 720);

-- The sweeper sees which connections are due, and nothing else of them.
grant select (tenant_id, id, sync_due_at, schema_check_due_at) on connections
  to autonomos_sweeper;
create policy sweep on connections for select to autonomos_sweeper
  using (sync_due_at <= now() or schema_check_due_at <= now());

-- How far an object's source was read: the next incremental sync begins there.
create table sync_positions (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  cursor_column text not null,
  cursor text not null,
  updated_at timestamp with time zone not null,
  constraint sync_positions_pkey primary key (tenant_id, connection_id, object),
  constraint sync_positions_connection_fkey foreign key (tenant_id, connection_id)
    references connections (tenant_id, id) on delete cascade
);
call protect('sync_positions');

-- A connection has one job of a pulling kind at a time.
create unique index jobs_pull_key on jobs (tenant_id, kind, (payload ->> 'connection_id'))
  where kind in ('sync', 'discover') and status in ('queued', 'in_progress');

alter table runs add column cursor text;
