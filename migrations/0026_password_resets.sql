-- The tokens by which people set a new password, one of a person at a time. An admin makes it.
create table password_resets (
  tenant_id uuid not null,
  user_id uuid not null,
  id uuid not null,
  token_hash bytea not null,
  created_by uuid not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint password_resets_pkey primary key (tenant_id, user_id),
  constraint password_resets_user_fkey foreign key (tenant_id, user_id)
    references users (tenant_id, id) on delete cascade
);
call protect('password_resets');
revoke all on password_resets from autonomos_app;
grant select, insert, update, delete on password_resets to autonomos_accounts;

grant select, delete on password_resets to autonomos_sweeper;
create policy sweep on password_resets to autonomos_sweeper
  using (expires_at < now());
