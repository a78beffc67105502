-- The role that requests work under. It owns nothing, so row-level security binds it.
-- Roles belong to the cluster, not to the database: another database may have made it already.
do $$
begin
  create role autonomos_app nologin;
exception when duplicate_object or unique_violation then null;
end $$;

-- A superuser may take on any role and needs no grant.
do $$
begin
  if not pg_has_role(current_user, 'autonomos_app', 'member') then
    grant autonomos_app to current_user;
  end if;
end $$;

grant usage on schema public to autonomos_app;

-- Puts a table under the tenant lock: its rows are visible and writable only while
-- app.tenant_id names their tenant, for the owner too.
create procedure protect(target regclass) language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy tenant on %s using (tenant_id = (select nullif(current_setting(''app.tenant_id'', true), '''')::uuid))',
    target);
  execute format('grant select, insert, update, delete on %s to autonomos_app', target);
end $$;

-- The directory: who exists, before it is known whose request this is. No tenant lock,
-- no grant to autonomos_app beyond reading.
create table tenants (
  id uuid not null,
  name text not null,
  created_at timestamp with time zone not null default now(),
  constraint tenants_pkey primary key (id)
);
create unique index tenants_name_key on tenants (lower(name));

create table logins (
  email text not null, -- lower case
  tenant_id uuid not null,
  user_id uuid not null,
  constraint logins_pkey primary key (email),
  -- Checked at the commit: registering takes the e-mail first, then makes the tenant.
  constraint logins_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade
    deferrable initially deferred
);
create index logins_tenant_id_idx on logins (tenant_id, user_id);

create table users (
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  name text,
  password_hash text not null,
  role text not null,
  disabled_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint users_pkey primary key (tenant_id, id),
  constraint users_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade,
  constraint users_role_check check (role in ('admin', 'member', 'viewer'))
);
call protect('users');

create table refresh_tokens (
  tenant_id uuid not null,
  id uuid not null,
  family_id uuid not null,
  user_id uuid not null,
  token_hash bytea not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  rotated_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint refresh_tokens_pkey primary key (tenant_id, id),
  constraint refresh_tokens_user_fkey foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index refresh_tokens_family_idx on refresh_tokens (tenant_id, family_id);
create index refresh_tokens_user_idx on refresh_tokens (tenant_id, user_id);
call protect('refresh_tokens');

create table invitations (
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  role text not null,
  token_hash bytea not null,
  invited_by uuid not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  accepted_at timestamp with time zone,
  constraint invitations_pkey primary key (tenant_id, id),
  constraint invitations_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade,
  constraint invitations_role_check check (role in ('admin', 'member', 'viewer'))
);
call protect('invitations');

create table api_keys (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  secret_hash bytea not null,
  scopes text[] not null,
  created_by uuid not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_keys_pkey primary key (tenant_id, id),
  constraint api_keys_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade,
  constraint api_keys_scopes_check check (scopes <@ array['ingest', 'read', 'admin'])
);
call protect('api_keys');

-- Who a verified token speaks for, in one round trip: the setting ends with the statement.
create function caller_user(tenant uuid, subject uuid)
returns table (email text, role text, disabled boolean, created_at timestamp with time zone)
language plpgsql as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  return query
    select u.email, u.role, u.disabled_at is not null, u.created_at
    from users u
    where u.tenant_id = tenant and u.id = subject;
end $$;

-- The same for an API key; its secret is compared by the caller of this function.
create function caller_api_key(tenant uuid, key uuid)
returns table (
  secret_hash bytea, scopes text[], created_by uuid, revoked boolean,
  last_used_at timestamp with time zone
)
language plpgsql as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  return query
    select k.secret_hash, k.scopes, k.created_by, k.revoked_at is not null, k.last_used_at
    from api_keys k
    where k.tenant_id = tenant and k.id = key;
end $$;

-- Notes when an API key was used.
create function caller_api_key_used(tenant uuid, key uuid, at timestamp with time zone)
returns void language plpgsql as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  update api_keys set last_used_at = at where tenant_id = tenant and id = key;
end $$;
