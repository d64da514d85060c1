alter table deployment add column zone text;
comment on table deployment is 'One row, written when a hub first starts here and never changed: which mode this database is of, and in which zone its days are counted.';

-- Written once, where it is missing.
grant update (zone) on deployment to mizan_app;
create function deployment_zone_stands() returns trigger language plpgsql as $$
begin
    if old.zone is not null and new.zone is distinct from old.zone then
        raise exception 'the zone of a database never changes' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger deployment_zone_stands before update on deployment for each row execute function deployment_zone_stands();
