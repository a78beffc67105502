-- A tenant is deleted in two steps. The first, in one transaction, ends it: nobody signs in, nothing
-- runs, and its data key is gone, so what was sealed under it opens nowhere, in no backup either.
-- The second deletes its rows, so many at a time that none holds a function up.
alter table tenants add column deleted_at timestamp with time zone;
create index tenants_deleted_idx on tenants (deleted_at) where deleted_at is not null;

-- Ends the tenant whose request it is, where that is its name.
create function end_tenant(tenant uuid, confirmed_name text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if tenant is distinct from nullif(current_setting('app.tenant_id', true), '')::uuid then
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

-- Deletes up to so many rows of each table of one tenant that has ended, whatever tables there are,
-- and at last the tenant. Says how many it were; 0 where no tenant is left that has ended.
create function purge_ended_tenant(most integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set lock_timeout = '2s' as $$
declare
  tenant uuid;
  target regclass;
  field bigint;
  gone bigint;
  total bigint := 0;
begin
  select t.id into tenant
  from tenants t
  where t.deleted_at is not null
  order by t.deleted_at
  limit 1
  for update skip locked;
  if not found then
    return 0;
  end if;
  perform set_config('app.tenant_id', tenant::text, true);
  for field in select f.id from custom_fields f where f.tenant_id = tenant and f.indexed loop
    execute format('drop index if exists public.%I', 'custom_field_' || field);
  end loop;
  for target in
    select c.oid::regclass
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
    order by c.relname
  loop
    execute format(
      'delete from %1$s where ctid = any (array(select ctid from %1$s where tenant_id = $1 limit $2))',
      target
    ) using tenant, most;
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  if total = 0 then
    delete from tenants where id = tenant;
    total := 1;
  end if;
  return total;
end $$;

revoke all on function end_tenant(uuid, text), purge_ended_tenant(integer) from public;
grant execute on function end_tenant(uuid, text) to autonomos_accounts;
grant execute on function purge_ended_tenant(integer) to autonomos_accounts, autonomos_sweeper;
