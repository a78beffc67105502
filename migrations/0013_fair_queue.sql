-- A worker holds a job by the lease that it took it under, and a tenant's running jobs sit in
-- numbered slots: the two keys below, and no count, keep them to the cap and one job of an
-- exclusive kind at a time, however many workers take at once. The slot of a worker that died
-- stays with its job until the next worker takes both.
alter table job_queue
  add column lease uuid,
  add column slot smallint,
  -- Of the jobs of a tenant that have the same, one runs at a time.
  add column exclusive text,
  -- How long it may wait so that others of its tenant come first.
  add column patience interval not null default '0 s',
  -- Within a tenant, the earliest comes first.
  add column start_by timestamp with time zone not null default now(),
  add constraint job_queue_slot_check check (slot is null or lease is not null);

create unique index job_queue_slot_key on job_queue (tenant_id, slot) where slot is not null;
create unique index job_queue_exclusive_key on job_queue (tenant_id, exclusive)
  where slot is not null and exclusive is not null;
create index job_queue_start_by_idx on job_queue (tenant_id, start_by) where slot is null;

-- When a tenant last got a worker. Ids and times only, as in the queue.
create table job_turns (
  tenant_id uuid not null,
  served_at timestamp with time zone not null,
  constraint job_turns_pkey primary key (tenant_id),
  constraint job_turns_tenant_fkey foreign key (tenant_id) references tenants (id)
    on delete cascade
);

-- Of each tenant the job that comes next, where one may run: one that a dead worker left, else
-- the first that waits while a slot is free. It leaps from tenant to tenant, and looks at so many
-- jobs of each at most, so a long queue of one costs the others nothing.
create function next_jobs(per_tenant integer)
returns table (
  tenant_id uuid, running bigint, served_at timestamp with time zone,
  job_id uuid, slot smallint, start_by timestamp with time zone
)
language sql stable as $$
  with recursive waiting (tenant_id) as (
    (select q.tenant_id from job_queue q order by q.tenant_id limit 1)
    union all
    select (
      select q.tenant_id
      from job_queue q
      where q.tenant_id > w.tenant_id
      order by q.tenant_id
      limit 1
    )
    from waiting w
    where w.tenant_id is not null
  )
  select w.tenant_id, held.running, turns.served_at, next.job_id, next.slot, next.start_by
  from waiting w
  cross join lateral (
    select count(*) filter (where q.visible_at > now()) running, count(*) slots
    from job_queue q
    where q.tenant_id = w.tenant_id and q.slot is not null
  ) held
  cross join lateral (
    (
      select q.job_id, q.slot, q.start_by
      from job_queue q
      where q.tenant_id = w.tenant_id and q.slot is not null and q.visible_at <= now()
      order by q.visible_at
      limit 1
    )
    union all
    (
      select f.job_id, (
        select min(s)::smallint
        from generate_series(1, per_tenant) s
        where not exists (
          select from job_queue o where o.tenant_id = w.tenant_id and o.slot = s
        )
      ), f.start_by
      from (
        select q.job_id, q.exclusive, q.start_by
        from job_queue q
        where q.tenant_id = w.tenant_id and q.slot is null and q.visible_at <= now()
        order by q.start_by
        limit 100
      ) f
      where held.slots < per_tenant
        and not exists (
          select
          from job_queue o
          where o.tenant_id = w.tenant_id and o.slot is not null and o.exclusive = f.exclusive
        )
      order by f.start_by
      limit 1
    )
    limit 1
  ) next
  left join job_turns turns on turns.tenant_id = w.tenant_id
  where w.tenant_id is not null
$$;

-- Who wants a job ended that is worked on: its worker looks here.
create table job_cancellations (
  tenant_id uuid not null,
  job_id uuid not null,
  actor text not null,
  requested_at timestamp with time zone not null,
  constraint job_cancellations_pkey primary key (tenant_id, job_id),
  constraint job_cancellations_job_fkey foreign key (tenant_id, job_id)
    references jobs (tenant_id, id) on delete cascade
);
call protect('job_cancellations');

alter table jobs add column started_at timestamp with time zone;

-- A replay that waits already serves whoever asks for the same.
create index jobs_replay_queued_idx on jobs (tenant_id, (payload ->> 'connection_id'))
  where kind = 'replay' and status = 'queued';

alter table runs
  drop constraint runs_status_check,
  add constraint runs_status_check check (status in ('running', 'success', 'failed', 'canceled'));
