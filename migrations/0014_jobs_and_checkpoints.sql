-- A job says what it is about, and which others may not wait or run beside it: a new kind of jobs
-- needs no index of its own.
alter table jobs
  add column subject text,
  -- Of the jobs that are not over, no two have the same.
  add column unique_key text;
update jobs set subject = 'connection:' || (payload ->> 'connection_id')
where payload ->> 'connection_id' is not null;
update jobs set unique_key = kind || ':connection:' || (payload ->> 'connection_id')
where kind in ('sync', 'discover') and status in ('queued', 'in_progress');
create unique index jobs_unique_key on jobs (tenant_id, unique_key)
  where status in ('queued', 'in_progress');
create index jobs_subject_idx on jobs (tenant_id, subject)
  where status in ('queued', 'in_progress');
drop index jobs_pull_key;
drop index jobs_replay_queued_idx;

-- Whether a job is held under that lease. The application sees no more of the queue, which has the
-- jobs of all tenants.
create function has_lease(job uuid, lease uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
  select exists (
    select
    from public.job_queue q
    where q.tenant_id = (select current_setting('app.tenant_id'))::uuid
      and q.job_id = has_lease.job and q.lease = has_lease.lease
  )
$$;
-- The same, and where it is, nobody else takes the job before the end of the transaction. So what a
-- worker writes that has lost its lease is never committed.
create function lock_lease(job uuid, lease uuid) returns boolean
language sql volatile security definer set search_path = pg_catalog, public as $$
  select true
  from public.job_queue q
  where q.tenant_id = (select current_setting('app.tenant_id'))::uuid
    and q.job_id = lock_lease.job and q.lease = lock_lease.lease
  for update
$$;
revoke all on function has_lease(uuid, uuid), lock_lease(uuid, uuid) from public;
grant execute on function has_lease(uuid, uuid), lock_lease(uuid, uuid) to autonomos_app;

-- Where the next incremental sync of an object begins, in its connector's own words. The columns
-- of a cursor are dropped when no function reads them any more.
alter table sync_positions
  add column state jsonb,
  alter column cursor_column drop not null,
  alter column cursor drop not null;
update sync_positions
set state = jsonb_build_object(
  'phase', 'checkpoint', 'column', cursor_column, 'cast', cursor_type, 'cursor', cursor)
where cursor_type is not null;

-- Who exchanges a connection's secrets, and until when nobody else does.
alter table connections
  add column secrets_lease uuid,
  add column secrets_leased_until timestamp with time zone;
