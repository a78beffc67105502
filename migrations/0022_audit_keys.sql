-- The chain of the audit log is made with a key that no role but the owner reads, by a function that
-- appends what a platform has signed and nothing else. So whoever runs SQL of their own as a function
-- can neither append in another's name nor move the head.
--
-- This takes rights from autonomos_app: functions of the release before cannot change anything from
-- here until they are replaced.

-- Keys of platforms, derived from their platform keys, as the two blocks that HMAC begins with
-- (RFC 2104). The first to come is believed; who comes later is endorsed by one that is known.
create table audit_keys (
  id bytea not null,
  inner_block bytea not null,
  outer_block bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint audit_keys_pkey primary key (id),
  constraint audit_keys_blocks_check check (length(inner_block) = 64 and length(outer_block) = 64)
);

alter table audit_log add column key_id bytea; -- null: from before, a hash without a key
alter table audit_heads add column moved_at timestamp with time zone not null default now();
revoke insert on audit_log from autonomos_app;
revoke insert, update on audit_heads from autonomos_app;

-- Heads are noted outside once an hour. Two hours, so that one that was missed is noted by the next.
grant select on audit_heads to autonomos_sweeper;
create policy anchor on audit_heads for select to autonomos_sweeper
  using (moved_at > now() - interval '2 hours');

-- A part of a message, with its length before it.
create function audit_part(part bytea) returns bytea language sql immutable as $$
  select int8send(length(part)::bigint) || part
$$;

create function audit_part(part text) returns bytea language sql immutable as $$
  select audit_part(convert_to(coalesce(part, ''), 'UTF8'))
$$;

create function audit_mac(key audit_keys, message bytea) returns bytea language sql immutable as $$
  select sha256(key.outer_block || sha256(key.inner_block || message))
$$;

-- Makes a platform's key known. False where nobody who is known endorses it.
create function introduce_audit_key(
  new_id bytea, new_inner bytea, new_outer bytea, endorser_id bytea, endorsement bytea
)
returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  endorser audit_keys;
begin
  lock table audit_keys in share row exclusive mode;
  if exists (select from audit_keys) then
    select k.* into endorser from audit_keys k where k.id = endorser_id;
    if not found or endorsement is distinct from audit_mac(
      endorser,
      audit_part('audit key'::text) || audit_part(new_id) || audit_part(new_inner) || audit_part(new_outer)
    ) then
      return exists (select from audit_keys k where k.id = new_id);
    end if;
  end if;
  insert into audit_keys (id, inner_block, outer_block)
  values (new_id, new_inner, new_outer)
  on conflict do nothing;
  return true;
end $$;

-- Appends an entry that is signed with that key, and says its number; none where the key is not
-- known. It holds the head until the end of the transaction.
create function append_audit(
  tenant uuid, at timestamp with time zone, actor text, action text, object text,
  before text, after text, trace text, key bytea, signature bytea
)
returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  signer audit_keys;
  head audit_heads;
  content bytea;
  link bytea;
begin
  select k.* into signer from audit_keys k where k.id = key;
  if not found then
    return null;
  end if;
  content := audit_part(int8send((extract(epoch from at) * 1000000)::bigint))
    || audit_part(actor) || audit_part(action) || audit_part(object)
    || audit_part(before) || audit_part(after) || audit_part(trace);
  if signature is distinct from audit_mac(
    signer, audit_part('audit entry'::text) || audit_part(uuid_send(tenant)) || content
  ) then
    raise insufficient_privilege using message = 'permission denied: the audit entry is not signed';
  end if;
  insert into audit_heads as last (tenant_id, seq, hash)
  values (tenant, 0, decode(repeat('00', 32), 'hex'))
  on conflict (tenant_id) do update set seq = last.seq
  returning * into head;
  link := audit_mac(
    signer,
    audit_part('audit chain'::text) || audit_part(head.hash) || audit_part(uuid_send(tenant))
      || audit_part(int8send(head.seq + 1)) || content
  );
  update audit_heads
  set seq = head.seq + 1, hash = link, moved_at = clock_timestamp()
  where tenant_id = tenant;
  insert into audit_log
    (tenant_id, seq, at, actor, action, object, before, after, trace_id, key_id, hash)
  values
    (tenant, head.seq + 1, at, actor, action, object, before::json, after::json, trace, key, link);
  return head.seq + 1;
end $$;

revoke all on function
  audit_part(bytea), audit_part(text), audit_mac(audit_keys, bytea),
  introduce_audit_key(bytea, bytea, bytea, bytea, bytea),
  append_audit(
    uuid, timestamp with time zone, text, text, text, text, text, text, bytea, bytea
  )
  from public;
grant execute on function
  introduce_audit_key(bytea, bytea, bytea, bytea, bytea),
  append_audit(
    uuid, timestamp with time zone, text, text, text, text, text, text, bytea, bytea
  )
  to autonomos_app;
