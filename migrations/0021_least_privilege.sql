-- A function signs in with a login role that owns nothing and is a member of the roles below only:
-- `platform::db::roles` makes it. What is not granted here or before, nobody but the owner may.
--
-- This takes rights from autonomos_app: functions of the release before cannot sign anybody in from
-- here until they are replaced.

do $$
declare
  wanted text;
begin
  -- Of the function that signs people in: people, sessions, keys, and the directory.
  -- Of the workers: the queue of all tenants.
  foreach wanted in array array['autonomos_accounts', 'autonomos_queue'] loop
    begin
      execute format('create role %I nologin', wanted);
    exception when duplicate_object or unique_violation then null;
    end;
  end loop;
  if not pg_has_role('autonomos_accounts', 'autonomos_app', 'member') then
    grant autonomos_app to autonomos_accounts;
  end if;
end $$;

-- Whoever may make objects there could put one in the place of another. Since PostgreSQL 15 nobody
-- but the owner may; a schema of somebody else is theirs to close.
do $$
begin
  revoke create on schema public from public;
exception when insufficient_privilege then null;
end $$;
grant usage on schema public to autonomos_accounts, autonomos_queue;

revoke all on users, refresh_tokens, invitations, api_keys, sign_in_addresses from autonomos_app;
grant select, insert, update on users, api_keys, sign_in_addresses to autonomos_accounts;
grant select, insert, update, delete on refresh_tokens, invitations to autonomos_accounts;
grant select, insert on logins to autonomos_accounts;
grant select (id), insert (id, name) on tenants to autonomos_accounts;

-- A key that is gone opens nothing any more: it goes with its tenant only.
revoke delete on tenant_keys from autonomos_app;

grant select, insert, update, delete on rate_limits to autonomos_accounts;
create policy count on rate_limits to autonomos_accounts using (true);

-- A request reaches the jobs of its tenant, a worker those of all. The owner is not bound: functions
-- of the owner look after leases.
alter table job_queue enable row level security;
create policy tenant on job_queue to autonomos_app
  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy queue on job_queue to autonomos_queue using (true);
grant select, update, delete on job_queue to autonomos_app, autonomos_queue;
grant select, insert, update on job_turns to autonomos_queue;

-- Who sent a key, if its secret has this hash. That it was used is noted once an hour: finer would
-- cost a write for each request.
create function caller_of_api_key(tenant uuid, key uuid, hash bytea)
returns table (scopes text[], created_by uuid)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  return query
    select k.scopes, k.created_by
    from api_keys k
    where k.tenant_id = tenant and k.id = key and k.secret_hash = hash and k.revoked_at is null;
  if found then
    update api_keys k set last_used_at = now()
    where k.tenant_id = tenant and k.id = key
      and (k.last_used_at is null or k.last_used_at < now() - interval '1 hour');
  end if;
end $$;

-- Whoever may ask who is calling does not see the rows of people.
alter function caller_user(uuid, uuid)
  security definer set search_path = pg_catalog, public, pg_temp;

-- What the two older ones answer is more than anybody needs; they go with the release before.
revoke all on function
  caller_user(uuid, uuid), caller_api_key(uuid, uuid),
  caller_api_key_used(uuid, uuid, timestamp with time zone), caller_of_api_key(uuid, uuid, bytea),
  count_request(bytea, bigint, bigint), next_jobs(integer)
  from public;
revoke all on procedure protect(regclass) from public;
grant execute on function caller_user(uuid, uuid), caller_of_api_key(uuid, uuid, bytea)
  to autonomos_app;
grant execute on function count_request(bytea, bigint, bigint) to autonomos_accounts;
grant execute on function next_jobs(integer) to autonomos_queue;
