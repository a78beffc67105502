create table connections (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  source_type text not null,
  status text not null,
  connector_config jsonb not null,
  sealed_secrets bytea,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  last_health_check timestamp with time zone,
  constraint connections_pkey primary key (tenant_id, id),
  constraint connections_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade,
  constraint connections_name_key unique (tenant_id, name),
  constraint connections_status_check
    check (status in ('PENDING', 'ACTIVE', 'FAILED', 'DRIFTED', 'HEALING', 'INACTIVE'))
);
call protect('connections');

-- One object of a source: a table, an API object, a family of files. `object` is
-- `system.entity` for files and events, the source's own name where a connector has one.
create table source_objects (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  system text not null,
  entity text not null,
  baseline_version integer,
  last_seen_at timestamp with time zone,
  constraint source_objects_pkey primary key (tenant_id, connection_id, object),
  constraint source_objects_connection_fkey foreign key (tenant_id, connection_id)
    references connections (tenant_id, id) on delete cascade
);
call protect('source_objects');

create table schema_snapshots (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  version integer not null,
  document jsonb not null,
  structure_hash text not null,
  created_at timestamp with time zone not null,
  constraint schema_snapshots_pkey primary key (tenant_id, connection_id, object, version),
  constraint schema_snapshots_object_fkey foreign key (tenant_id, connection_id, object)
    references source_objects (tenant_id, connection_id, object) on delete cascade
);
call protect('schema_snapshots');

create table drift_events (
  tenant_id uuid not null,
  id uuid not null,
  connection_id uuid not null,
  object text not null,
  from_version integer not null,
  to_version integer not null,
  changes jsonb not null,
  severity text not null,
  status text not null default 'open',
  created_at timestamp with time zone not null,
  resolved_at timestamp with time zone,
  confidence double precision, -- of the repair that answered it, 0 to 1
  constraint drift_events_pkey primary key (tenant_id, id),
  constraint drift_events_versions_key unique (tenant_id, connection_id, object, from_version, to_version),
  constraint drift_events_object_fkey foreign key (tenant_id, connection_id, object)
    references source_objects (tenant_id, connection_id, object) on delete cascade,
  constraint drift_events_severity_check check (severity in ('low', 'medium', 'high', 'critical')),
  constraint drift_events_status_check
    check (status in ('open', 'repairing', 'repaired', 'accepted', 'ignored'))
);
create index drift_events_created_idx on drift_events (tenant_id, created_at);
call protect('drift_events');

create table mappings (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  version integer not null,
  document jsonb not null,
  author text not null,
  reason text not null,
  created_at timestamp with time zone not null,
  constraint mappings_pkey primary key (tenant_id, connection_id, object, version),
  constraint mappings_object_fkey foreign key (tenant_id, connection_id, object)
    references source_objects (tenant_id, connection_id, object) on delete cascade
);
call protect('mappings');

create table runs (
  tenant_id uuid not null,
  id uuid not null,
  connection_id uuid not null,
  object text not null,
  kind text not null,
  file text,
  status text not null,
  rows_read bigint not null default 0,
  written bigint not null default 0,
  unchanged bigint not null default 0,
  stale bigint not null default 0,
  duplicate bigint not null default 0,
  deleted bigint not null default 0,
  quarantined bigint not null default 0,
  bytes bigint not null default 0,
  error text,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint runs_pkey primary key (tenant_id, id),
  constraint runs_connection_fkey foreign key (tenant_id, connection_id)
    references connections (tenant_id, id) on delete cascade,
  constraint runs_kind_check check (kind in ('upload', 'events', 'replay', 'sync')),
  constraint runs_status_check check (status in ('running', 'success', 'failed'))
);
create index runs_started_idx on runs (tenant_id, started_at);
create index runs_connection_idx on runs (tenant_id, connection_id, started_at);
call protect('runs');

-- The latest payload of each source record, as received. No foreign key: see 0004.
create table raw_records (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  source_id text not null,
  payload text not null, -- JSON text; text and not jsonb, to keep it to the letter
  content_hash bytea not null,
  source_version timestamp with time zone,
  mapping_version integer not null,
  run_id uuid not null,
  deleted boolean not null default false,
  received_at timestamp with time zone not null,
  constraint raw_records_pkey primary key (tenant_id, connection_id, object, source_id)
);
call protect('raw_records');

create table quarantined_records (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  content_hash bytea not null,
  id uuid not null,
  run_id uuid not null,
  line bigint,
  field text,
  reason text not null,
  payload text not null,
  created_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  constraint quarantined_records_pkey primary key (tenant_id, connection_id, object, content_hash),
  constraint quarantined_records_connection_fkey foreign key (tenant_id, connection_id)
    references connections (tenant_id, id) on delete cascade
);
create index quarantined_records_created_idx on quarantined_records (tenant_id, created_at);
call protect('quarantined_records');

create table event_ids (
  tenant_id uuid not null,
  connection_id uuid not null,
  event_id text not null,
  seen_at timestamp with time zone not null default now(),
  constraint event_ids_pkey primary key (tenant_id, connection_id, event_id),
  constraint event_ids_connection_fkey foreign key (tenant_id, connection_id)
    references connections (tenant_id, id) on delete cascade
);
call protect('event_ids');
