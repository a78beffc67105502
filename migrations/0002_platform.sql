create table audit_log (
  tenant_id uuid not null,
  seq bigint not null,
  at timestamp with time zone not null,
  actor text not null,
  action text not null,
  object text not null,
  before json, -- not jsonb: the hash covers the text as it was written
  after json,
  trace_id text not null,
  hash bytea not null, -- sha-256 over the previous row's hash and this row's content
  constraint audit_log_pkey primary key (tenant_id, seq),
  constraint audit_log_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);
call protect('audit_log');
revoke update, delete on audit_log from autonomos_app;

-- The end of each tenant's chain, locked while a row is appended.
create table audit_heads (
  tenant_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  constraint audit_heads_pkey primary key (tenant_id),
  constraint audit_heads_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);
call protect('audit_heads');
revoke delete on audit_heads from autonomos_app;

create table idempotency_keys (
  tenant_id uuid not null,
  key text not null,
  request_hash bytea not null,
  status smallint, -- null while the first request runs
  body bytea,
  content_type text,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey primary key (tenant_id, key),
  constraint idempotency_keys_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);
call protect('idempotency_keys');

-- Each tenant's data key, wrapped by the platform key. Deleting it shreds what it sealed.
create table tenant_keys (
  tenant_id uuid not null,
  wrapped bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint tenant_keys_pkey primary key (tenant_id),
  constraint tenant_keys_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);
call protect('tenant_keys');

create table jobs (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  payload jsonb not null,
  status text not null default 'queued',
  attempts integer not null default 0,
  progress jsonb,
  result jsonb,
  error text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint jobs_pkey primary key (tenant_id, id),
  constraint jobs_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade,
  constraint jobs_status_check check (status in ('queued', 'in_progress', 'success', 'failed', 'canceled'))
);
call protect('jobs');

-- The queue where SQS is not: it wakes a worker and carries nothing but ids.
create table job_queue (
  job_id uuid not null,
  tenant_id uuid not null,
  visible_at timestamp with time zone not null default now(),
  constraint job_queue_pkey primary key (tenant_id, job_id),
  constraint job_queue_job_fkey foreign key (tenant_id, job_id) references jobs (tenant_id, id) on delete cascade
);
grant insert on job_queue to autonomos_app;
