-- How often a person's access tokens were ended. A token says which epoch it is of; one of an earlier
-- epoch is dead. A counter and no time: what is signed in the same second is told apart.
alter table users add column token_epoch integer not null default 0;

-- Who a verified token speaks for, as `caller_user`, with the epoch: the check costs no query of its
-- own. Whoever may ask sees no other row of people.
create function caller_of_token(tenant uuid, subject uuid)
returns table (
  email text, role text, disabled boolean, created_at timestamp with time zone,
  token_epoch integer
)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  return query
    select u.email, u.role, u.disabled_at is not null, u.created_at, u.token_epoch
    from users u
    where u.tenant_id = tenant and u.id = subject;
end $$;
revoke all on function caller_of_token(uuid, uuid) from public;
grant execute on function caller_of_token(uuid, uuid) to autonomos_app;
-- Nobody needs it any more; it goes with the release before.
revoke all on function caller_user(uuid, uuid) from autonomos_app;
