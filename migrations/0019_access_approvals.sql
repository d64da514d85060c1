-- Staff are proposed by one administrator and approved by another; a password given by somebody else is good for one
-- thing, to set one's own.

alter table people
    add column created_by text not null default 'hub:bootstrap',
    add column approved_by text,
    add column approved_at timestamptz,
    add column password_given boolean not null default false,
    add column password_part_sealed bytea;
update people set approved_at = created_at, approved_by = created_by;
alter table people
    add constraint people_approval_check check ((approved_at is null) = (approved_by is null));
comment on column people.approved_at is 'Null while the person waits for a second administrator; nobody logs in or signs before.';
alter table people
    add constraint people_password_part_check check (password_part_sealed is null or approved_at is null);
comment on column people.password_part_sealed is 'The half of the first password that the proposer was shown, sealed with the hub''s master key, until the approver is shown the other.';
comment on column people.password_given is 'Somebody else knows the password: it must be replaced before it opens anything.';

-- The hub and `mizan doctor` compare the tables with their release. (Databases of the developers' tools have no such table.)
do $$
begin
    if to_regclass('public._sqlx_migrations') is not null then
        grant select on _sqlx_migrations to mizan_app;
    end if;
end
$$;
