-- Failed sign-ins, counted where there is no Redis: by the same algorithm (GCRA), so one time is
-- all there is to keep. The key is a hash. Unlogged: what a crash forgets, it forgives.
create unlogged table rate_limits (
  key bytea not null,
  arrival timestamp with time zone not null, -- when the whole quota is there again
  constraint rate_limits_pkey primary key (key)
);
create index rate_limits_arrival_idx on rate_limits (arrival);

-- Counts one request, unless the quota is used up: no row then changes. The answer is whether it
-- was counted, and how many microseconds the arrival is ahead of now. The clock is the one of the
-- moment, as the row may have been waited for.
create function count_request(
  counter bytea, period bigint, tolerance bigint,
  out allowed boolean, out ahead bigint
)
language plpgsql as $$
declare
  next timestamp with time zone;
begin
  insert into rate_limits as kept (key, arrival)
  values (counter, clock_timestamp() + period * interval '1 microsecond')
  on conflict (key) do update
    set arrival = greatest(kept.arrival, clock_timestamp()) + period * interval '1 microsecond'
    where kept.arrival <= clock_timestamp() + tolerance * interval '1 microsecond'
  returning arrival into next;
  allowed := found;
  if not allowed then
    select arrival into next from rate_limits where key = counter;
  end if;
  ahead := greatest(0, extract(epoch from next - clock_timestamp()) * 1000000);
end $$;

-- From where a person has signed in: who guesses at their account from elsewhere keeps them out
-- from none of these. The address is hashed with the person's id.
create table sign_in_addresses (
  tenant_id uuid not null,
  user_id uuid not null,
  address_hash bytea not null,
  signed_in_at timestamp with time zone not null,
  constraint sign_in_addresses_pkey primary key (tenant_id, user_id, address_hash),
  constraint sign_in_addresses_user_fkey foreign key (tenant_id, user_id)
    references users (tenant_id, id) on delete cascade
);
call protect('sign_in_addresses');

grant select, delete on rate_limits, sign_in_addresses to autonomos_sweeper;
-- The rows are no tenant's. The owner, who counts, is not bound by the policy; the sweep is.
alter table rate_limits enable row level security;
create policy sweep on rate_limits to autonomos_sweeper
  using (arrival < now());
create policy sweep on sign_in_addresses to autonomos_sweeper
  using (signed_in_at < now() - interval '90 days');
