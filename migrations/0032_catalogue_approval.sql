-- What stood in force when files were submitted, and what became of them: an approval is of what was seen, compared with
-- what is in force now.
alter table catalogue_imports rename column approver to decided_by;
alter table catalogue_imports
    -- Whatever was submitted before this column cannot say what it was compared with: it is submitted again.
    add column head bigint not null default 0,
    add column reason text,
    add column difference jsonb,
    drop constraint catalogue_imports_state_check,
    add constraint catalogue_imports_state_check check (state in ('submitted', 'approved', 'returned', 'withdrawn')),
    drop constraint catalogue_imports_two_people_check,
    add constraint catalogue_imports_two_people_check check (state not in ('approved', 'returned') or decided_by <> author),
    add constraint catalogue_imports_decided_check
        check ((state = 'submitted') = (decided_by is null) and (state = 'submitted') = (decided_at is null)),
    add constraint catalogue_imports_reason_check check ((state = 'returned') = (reason is not null));
alter table catalogue_imports alter column head drop default;
comment on column catalogue_imports.head is 'The version of catalogue_head that the files were compared with; another one at the approval refuses it.';
comment on column catalogue_imports.difference is 'What the files changed in the catalogue, as it was when they were decided on.';
