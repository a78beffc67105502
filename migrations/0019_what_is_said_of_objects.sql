-- What people say of an object before it is mapped: evidence for its proposal. Null where nobody has
-- said anything.
alter table source_objects
  add column said_entity text,
  add column said_key text[],
  -- How old the object's last sync may be; null where nobody minds.
  add column max_age_minutes integer
    constraint source_objects_max_age_check check (max_age_minutes between 1 and 525600);
