-- Nothing reads it.
alter table source_objects drop column last_seen_at;

-- Objects that nobody wants mapped are kept raw, and not asked about.
alter table source_objects add column ignored boolean not null default false;

-- What a tenant has decided about a source's fields: evidence for the next proposal. Never read by
-- another tenant.
create table mapping_decisions (
  tenant_id uuid not null,
  system text not null,
  entity text not null,
  source_field text not null,
  -- The canonical field that it becomes; empty where it becomes none.
  target text not null,
  accepted integer not null default 0,
  rejected integer not null default 0,
  decided_at timestamp with time zone not null,
  constraint mapping_decisions_pkey
    primary key (tenant_id, entity, source_field, target, system),
  constraint mapping_decisions_tenant_fkey foreign key (tenant_id) references tenants (id)
    on delete cascade
);
call protect('mapping_decisions');
