-- When a worker was last told of the job. A wake may be lost: the sweep repeats an old one.
alter table job_queue add column announced_at timestamp with time zone not null default now();

-- The role of the sweep. It sees, of every tenant, what is over its time, and nothing else: what
-- that is, is said here and nowhere else.
do $$
begin
  create role autonomos_sweeper nologin;
exception when duplicate_object or unique_violation then null;
end $$;

do $$
begin
  if not pg_has_role(current_user, 'autonomos_sweeper', 'member') then
    grant autonomos_sweeper to current_user;
  end if;
end $$;

grant usage on schema public to autonomos_sweeper;
grant select, delete on idempotency_keys, refresh_tokens, invitations, event_ids
  to autonomos_sweeper;
grant select on drift_events to autonomos_sweeper;

-- As long as a kept answer is given again.
create policy sweep on idempotency_keys to autonomos_sweeper
  using (created_at < now() - interval '24 hours');
create policy sweep on refresh_tokens to autonomos_sweeper
  using (expires_at < now());
create policy sweep on invitations to autonomos_sweeper
  using (expires_at < now());
-- Longer than a message can come back: 14 days in a queue, 14 more with its dead letters.
create policy sweep on event_ids to autonomos_sweeper
  using (seen_at < now() - interval '30 days');
-- Drift that nobody has answered for a day.
create policy sweep on drift_events for select to autonomos_sweeper
  using (status = 'open' and created_at < now() - interval '24 hours');

create index drift_events_open_idx on drift_events (tenant_id, created_at) where status = 'open';
