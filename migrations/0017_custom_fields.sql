-- What tenants declare themselves: fields of any entity, and entities of their own.

create table custom_entities (
  tenant_id uuid not null,
  kind text not null check (kind ~ '^[a-z][a-z0-9_]{0,62}$'),
  plural text not null check (plural ~ '^[a-z][a-z0-9_]{0,62}$'),
  description text not null,
  -- The fields that make up a record's id within its source object.
  key text[] not null,
  created_at timestamp with time zone not null,
  created_by text not null,
  constraint custom_entities_pkey primary key (tenant_id, kind),
  constraint custom_entities_plural_key unique (tenant_id, plural),
  constraint custom_entities_tenant_fkey foreign key (tenant_id) references tenants (id)
    on delete cascade
);
call protect('custom_entities');

create table custom_fields (
  tenant_id uuid not null,
  -- Canonical or custom.
  entity text not null,
  name text not null check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  -- The key of its values in `custom`. No other field ever has it, so what a dropped field left
  -- behind is never read as a value of another type.
  id bigint generated always as identity,
  type text not null check (
    type in ('text', 'text_list', 'integer', 'decimal', 'boolean', 'date', 'timestamp')
  ),
  description text not null,
  unit text,
  -- The texts that it takes; empty where it takes any.
  words text[] not null,
  required boolean not null,
  indexed boolean not null default false,
  created_at timestamp with time zone not null,
  created_by text not null,
  constraint custom_fields_pkey primary key (tenant_id, entity, name),
  constraint custom_fields_id_key unique (tenant_id, id),
  constraint custom_fields_tenant_fkey foreign key (tenant_id) references tenants (id)
    on delete cascade
);
call protect('custom_fields');

-- Values of custom fields by the field's id. Dates and instants are texts of one width, which sort
-- as they do.
alter table accounts add column custom jsonb;
alter table opportunities add column custom jsonb;
alter table contacts add column custom jsonb;
alter table aws_resources add column custom jsonb;
alter table cost_reports add column custom jsonb;

-- The records of all custom entities.
create table custom_records (
  tenant_id uuid not null,
  connection_id uuid not null,
  object text not null,
  source_id text not null,
  source_system text not null,
  entity text not null,
  custom jsonb,
  extras jsonb not null,
  synced_at timestamp with time zone not null,
  constraint custom_records_pkey primary key (tenant_id, connection_id, object, source_id)
);
create index custom_records_entity_idx
  on custom_records (tenant_id, entity, connection_id, object, source_id);
call protect('custom_records');

-- An index on a custom field of the tenant whose request it is. It holds writes to the table up
-- while it is built, and waits for them two seconds at most. The application owns no table, so this
-- is the only one it can index, and only so.
create function index_custom_field(entity text, name text) returns void
language plpgsql security definer set search_path = pg_catalog, public set lock_timeout = '2s' as $$
declare
  field public.custom_fields;
  records text;
  value text;
begin
  select f.* into strict field
  from public.custom_fields f
  where f.tenant_id = (select current_setting('app.tenant_id'))::uuid
    and f.entity = index_custom_field.entity and f.name = index_custom_field.name;
  records := case field.entity
    when 'account' then 'accounts'
    when 'opportunity' then 'opportunities'
    when 'contact' then 'contacts'
    when 'aws_resource' then 'aws_resources'
    when 'cost_report' then 'cost_reports'
    else 'custom_records'
  end;
  value := format('(custom ->> %L)', field.id::text);
  value := case field.type
    when 'integer' then format('(%s::bigint)', value)
    when 'decimal' then format('(%s::numeric)', value)
    when 'boolean' then format('(%s::boolean)', value)
    when 'date' then format('(%s collate "C")', value)
    when 'timestamp' then format('(%s collate "C")', value)
    else value
  end;
  execute format(
    'create index if not exists %I on public.%I (tenant_id, %s) where %s is not null',
    'custom_field_' || field.id, records, value, value
  );
end $$;

-- Takes the index away again.
create function drop_custom_field_index(id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public set lock_timeout = '2s' as $$
begin
  perform 1
  from public.custom_fields f
  where f.tenant_id = (select current_setting('app.tenant_id'))::uuid
    and f.id = drop_custom_field_index.id;
  if found then
    execute format('drop index if exists public.%I', 'custom_field_' || id);
  end if;
end $$;
revoke all on function index_custom_field(text, text), drop_custom_field_index(bigint) from public;
grant execute on function index_custom_field(text, text), drop_custom_field_index(bigint)
  to autonomos_app;
