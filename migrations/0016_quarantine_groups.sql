-- A run of which something was quarantined is no success: `partial` where something came in,
-- `failed` where nothing did. The first record that was quarantined says why.
alter table runs
  drop constraint runs_status_check,
  add constraint runs_status_check
    check (status in ('running', 'success', 'partial', 'failed', 'canceled')),
  add column first_rejection jsonb;
-- The latest run of each object.
create index runs_object_idx on runs (tenant_id, connection_id, object, started_at, id);

-- Records that were quarantined for one reason: a hash of object, field and reason without what the
-- reason quotes. All ones for those that an older function kept.
alter table quarantined_records
  add column group_id uuid not null default 'ffffffff-ffff-ffff-ffff-ffffffffffff';
create index quarantined_records_group_idx
  on quarantined_records (tenant_id, connection_id, object, group_id, content_hash);
