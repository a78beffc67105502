-- How the accepted field is read: the next file whose values leave that open is read so too.
alter table mapping_decisions add column transforms jsonb;
