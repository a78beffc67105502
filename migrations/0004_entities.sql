-- One table per canonical entity, with the columns that its declaration names.
-- The first four columns identify the record by its origin. No foreign key: checking it for each
-- row would double the cost of an ingest, which holds the connection's row instead.

create table accounts (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  source_id text not null,
  source_system text not null,
  account_id text not null,
  external_ids text[],
  name text not null,
  type text,
  industry text,
  owner_id text,
  status text,
  created_at timestamp with time zone,
  updated_at timestamp with time zone,
  extras jsonb not null,
  synced_at timestamp with time zone not null,
  constraint accounts_pkey primary key (tenant_id, connection_id, object, source_id)
);
create index accounts_name_idx on accounts (tenant_id, name);
create index accounts_updated_at_idx on accounts (tenant_id, updated_at);
call protect('accounts');

create table opportunities (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  source_id text not null,
  source_system text not null,
  opportunity_id text not null,
  account_id text,
  name text not null,
  stage text,
  amount numeric,
  currency text,
  close_date timestamp with time zone,
  owner_id text,
  probability numeric,
  created_at timestamp with time zone,
  updated_at timestamp with time zone,
  extras jsonb not null,
  synced_at timestamp with time zone not null,
  constraint opportunities_pkey primary key (tenant_id, connection_id, object, source_id)
);
create index opportunities_account_id_idx on opportunities (tenant_id, account_id);
create index opportunities_close_date_idx on opportunities (tenant_id, close_date);
call protect('opportunities');

create table contacts (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  source_id text not null,
  source_system text not null,
  contact_id text not null,
  account_id text,
  first_name text,
  last_name text,
  name text,
  email text,
  phone text,
  title text,
  department text,
  role text,
  created_at timestamp with time zone,
  updated_at timestamp with time zone,
  extras jsonb not null,
  synced_at timestamp with time zone not null,
  constraint contacts_pkey primary key (tenant_id, connection_id, object, source_id)
);
create index contacts_account_id_idx on contacts (tenant_id, account_id);
create index contacts_email_idx on contacts (tenant_id, email);
call protect('contacts');

create table aws_resources (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  source_id text not null,
  source_system text not null,
  resource_id text not null,
  resource_type text not null,
  region text not null,
  instance_type text,
  vcpus bigint,
  memory bigint,
  storage bigint,
  db_engine text,
  instance_class text,
  allocated_storage bigint,
  storage_type text,
  storage_class text,
  size_gb numeric,
  object_count bigint,
  versioning text,
  cpu_utilization numeric,
  memory_utilization numeric,
  network_in numeric,
  network_out numeric,
  db_connections bigint,
  read_latency numeric,
  write_latency numeric,
  get_requests bigint,
  put_requests bigint,
  data_transfer_out numeric,
  monthly_cost numeric,
  extras jsonb not null,
  synced_at timestamp with time zone not null,
  constraint aws_resources_pkey primary key (tenant_id, connection_id, object, source_id)
);
create index aws_resources_resource_type_idx on aws_resources (tenant_id, resource_type);
call protect('aws_resources');

create table cost_reports (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  source_id text not null,
  source_system text not null,
  service_category text not null,
  resource_id text,
  region text not null,
  cost numeric not null,
  usage numeric,
  usage_type text not null,
  monthly_cost numeric,
  extras jsonb not null,
  synced_at timestamp with time zone not null,
  constraint cost_reports_pkey primary key (tenant_id, connection_id, object, source_id)
);
create index cost_reports_resource_id_idx on cost_reports (tenant_id, resource_id);
call protect('cost_reports');
