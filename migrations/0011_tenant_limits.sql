-- Rate limits of a tenant that has others than the platform's: requests a minute and at once, as
-- `1000/200`; null where the platform's holds.
create table tenant_limits (
  tenant_id uuid not null,
  read_limit text,
  write_limit text,
  constraint tenant_limits_pkey primary key (tenant_id),
  constraint tenant_limits_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade,
  constraint tenant_limits_read_limit_check
    check (read_limit ~ '^[1-9][0-9]{0,5}/[1-9][0-9]{0,5}$'),
  constraint tenant_limits_write_limit_check
    check (write_limit ~ '^[1-9][0-9]{0,5}/[1-9][0-9]{0,5}$')
);
call protect('tenant_limits');
-- A tenant does not raise its own: the owner of the tables does, by the procedure.
revoke insert, update, delete on tenant_limits from autonomos_app;

create procedure limit_tenant(tenant uuid, reads text, writes text) language plpgsql as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  insert into tenant_limits (tenant_id, read_limit, write_limit)
  values (tenant, reads, writes)
  on conflict (tenant_id) do update
    set read_limit = excluded.read_limit, write_limit = excluded.write_limit;
end $$;
revoke execute on procedure limit_tenant from public;
