-- The type of the cursor that a position is of. A position without one, from before, is read as
-- none: the next sync is a full one.
alter table sync_positions add column cursor_type text;
