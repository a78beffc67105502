-- How much a tenant has stored: the payloads of raw and of quarantined records, and how many they are.
-- Each connection to the database adds to a part of its own, so that nobody waits for another who
-- writes; the sweep joins the parts in part 0.
create table storage_usage (
  tenant_id uuid not null,
  part integer not null,
  bytes bigint not null,
  records bigint not null,
  constraint storage_usage_pkey primary key (tenant_id, part),
  constraint storage_usage_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);
call protect('storage_usage');
-- A tenant does not count what it stores: the triggers below do.
revoke insert, update, delete on storage_usage from autonomos_app;

grant select, insert, update, delete on storage_usage to autonomos_sweeper;
create policy sweep on storage_usage to autonomos_sweeper using (true);

-- Of a tenant that is being deleted nothing is counted: its row is gone already.
--
-- The owner of the table is under its lock, too, and a sweep is of no tenant.
create function add_storage(tenant uuid, more_bytes bigint, more_records bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before text := current_setting('app.tenant_id', true);
begin
  if more_bytes = 0 and more_records = 0 then
    return;
  end if;
  perform set_config('app.tenant_id', tenant::text, true);
  insert into storage_usage as kept (tenant_id, part, bytes, records)
  select tenant, pg_backend_pid(), more_bytes, more_records
  where exists (select from tenants where id = tenant)
  on conflict (tenant_id, part) do update
    set bytes = kept.bytes + excluded.bytes, records = kept.records + excluded.records;
  perform set_config('app.tenant_id', coalesce(before, ''), true);
end $$;

create function count_storage() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    perform add_storage(tenant_id, sum(octet_length(payload)), count(*))
    from gained group by tenant_id;
  elsif tg_op = 'DELETE' then
    perform add_storage(tenant_id, -sum(octet_length(payload)), -count(*))
    from lost group by tenant_id;
  else
    perform add_storage(tenant_id, sum(bytes)::bigint, 0)
    from (
      select tenant_id, octet_length(payload) bytes from gained
      union all
      select tenant_id, -octet_length(payload) from lost
    ) changed
    group by tenant_id;
  end if;
  return null;
end $$;
revoke all on function add_storage(uuid, bigint, bigint), count_storage() from public;

do $$
declare
  target text;
begin
  foreach target in array array['raw_records', 'quarantined_records'] loop
    execute format(
      'create trigger count_inserted after insert on %1$I
         referencing new table as gained for each statement execute function count_storage();
       create trigger count_updated after update on %1$I
         referencing old table as lost new table as gained
         for each statement execute function count_storage();
       create trigger count_deleted after delete on %1$I
         referencing old table as lost for each statement execute function count_storage()',
      target);
  end loop;
end $$;

-- What is stored already. The tables show a tenant's rows to whoever names the tenant.
do $$
declare
  tenant uuid;
begin
  for tenant in select id from tenants loop
    perform set_config('app.tenant_id', tenant::text, true);
    insert into storage_usage (tenant_id, part, bytes, records)
    select tenant, 0, coalesce(sum(octet_length(payload)), 0), count(*)
    from (
      select payload from raw_records where tenant_id = tenant
      union all
      select payload from quarantined_records where tenant_id = tenant
    ) stored;
  end loop;
  perform set_config('app.tenant_id', '', true);
end $$;

-- How much a tenant may store that has another quota than the platform's; null where that holds.
alter table tenant_limits
  add column storage_bytes bigint,
  add column storage_records bigint,
  add constraint tenant_limits_storage_bytes_check check (storage_bytes >= 0),
  add constraint tenant_limits_storage_records_check check (storage_records >= 0);

create procedure limit_storage(tenant uuid, bytes bigint, records bigint) language plpgsql as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  insert into tenant_limits (tenant_id, storage_bytes, storage_records)
  values (tenant, bytes, records)
  on conflict (tenant_id) do update
    set storage_bytes = excluded.storage_bytes, storage_records = excluded.storage_records;
end $$;
revoke execute on procedure limit_storage from public;
