-- A Cost and Usage Report has many lines for one resource and usage type: one per hour or day, per type
-- of line and per rate.
alter table cost_reports
  add column currency text,
  add column period_start timestamp with time zone,
  add column line_item_type text,
  add column line_item_id text;
create index cost_reports_period_start_idx on cost_reports (tenant_id, period_start);
