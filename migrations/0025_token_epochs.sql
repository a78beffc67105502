-- How often a person's access tokens were ended. A token says which epoch it is of; one of an earlier
-- epoch is dead. A counter and no time: what is signed in the same second is told apart.
alter table users add column token_epoch integer not null default 0;

-- With one more column than before, so that the check costs no query of its own.
drop function caller_user(uuid, uuid);
create function caller_user(tenant uuid, subject uuid)
returns table (
  email text, role text, disabled boolean, created_at timestamp with time zone,
  token_epoch integer
)
language plpgsql as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  return query
    select u.email, u.role, u.disabled_at is not null, u.created_at, u.token_epoch
    from users u
    where u.tenant_id = tenant and u.id = subject;
end $$;
