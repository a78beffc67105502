-- Row-level security believes the name of a tenant with its proof only, so that whoever runs SQL of
-- their own as a function reaches no other tenant by naming it.
--
-- This takes rights from autonomos_app: functions of the release before see no row from here until
-- they are replaced.

create function knows_audit_key(wanted bytea) returns boolean
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select exists (select from audit_keys k where k.id = wanted)
$$;

-- The tenant that app.tenant_id names, if app.tenant_proof proves it: the id of a key and the MAC of
-- the tenant under it, in hexadecimal. The owner of the tables, whose functions name tenants
-- themselves, needs no proof. A policy says who asks: here the current user is the owner always.
create function proven_tenant(asked_by name) returns uuid
language plpgsql stable parallel safe
security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  proof text := current_setting('app.tenant_proof', true);
  key audit_keys;
begin
  if tenant is null then
    return null;
  end if;
  if length(proof) = 80 then
    select k.* into key from audit_keys k where k.id = decode(left(proof, 16), 'hex');
    if decode(right(proof, 64), 'hex') = audit_mac(
      key, audit_part('tenant'::text) || audit_part(uuid_send(tenant))
    ) then
      return tenant;
    end if;
  end if;
  if asked_by = (
    select pg_get_userbyid(c.relowner) from pg_class c where c.oid = 'public.tenants'::regclass
  ) then
    return tenant;
  end if;
  return null;
end $$;

revoke all on function knows_audit_key(bytea), proven_tenant(name) from public;
grant execute on function knows_audit_key(bytea) to autonomos_app, autonomos_accounts;
grant execute on function proven_tenant(name)
  to autonomos_app, autonomos_accounts, autonomos_queue, autonomos_sweeper;

do $$
declare
  target regclass;
begin
  for target in select p.polrelid::regclass from pg_policy p where p.polname = 'tenant' loop
    execute format(
      'alter policy tenant on %s using (tenant_id = (select proven_tenant(current_user)))', target);
  end loop;
end $$;

create or replace procedure protect(target regclass) language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy tenant on %s using (tenant_id = (select proven_tenant(current_user)))', target);
  execute format('grant select, insert, update, delete on %s to autonomos_app', target);
end $$;

-- What functions of the owner do for the tenant of a request, they do with its proof.

create or replace function has_lease(job uuid, lease uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
  select exists (
    select
    from public.job_queue q
    where q.tenant_id = (select proven_tenant(null))
      and q.job_id = has_lease.job and q.lease = has_lease.lease
  )
$$;

create or replace function lock_lease(job uuid, lease uuid) returns boolean
language sql volatile security definer set search_path = pg_catalog, public as $$
  select true
  from public.job_queue q
  where q.tenant_id = (select proven_tenant(null))
    and q.job_id = lock_lease.job and q.lease = lock_lease.lease
  for update
$$;

create or replace function index_custom_field(entity text, name text) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
  field public.custom_fields;
  records text;
  value text;
begin
  select f.* into strict field
  from public.custom_fields f
  where f.tenant_id = (select proven_tenant(null))
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
create or replace function drop_custom_field_index(id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
begin
  perform 1
  from public.custom_fields f
  where f.tenant_id = (select proven_tenant(null))
    and f.id = drop_custom_field_index.id;
  if found then
    execute format('drop index if exists public.%I', 'custom_field_' || id);
  end if;
end $$;

create or replace function end_tenant(tenant uuid, confirmed_name text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if tenant is distinct from proven_tenant(null) then
    raise insufficient_privilege using message = 'permission denied: it is another tenant''s request';
  end if;
  update tenants set deleted_at = now()
  where id = tenant and name = confirmed_name and deleted_at is null;
  if not found then
    return false;
  end if;
  delete from tenant_keys where tenant_id = tenant;
  delete from logins where tenant_id = tenant;
  delete from api_keys where tenant_id = tenant;
  delete from invitations where tenant_id = tenant;
  delete from users where tenant_id = tenant;
  delete from jobs where tenant_id = tenant;
  -- Who brings records in holds their connection: after this nobody does.
  delete from connections where tenant_id = tenant;
  return true;
end $$;
