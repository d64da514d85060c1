create table agencies (
    code text constraint agencies_pkey primary key,
    issuer text not null constraint agencies_issuer_key unique constraint agencies_issuer_check check (issuer ~ '^[0-9]{4}$'),
    document jsonb not null,
    updated_at timestamptz not null
);
comment on table agencies is 'Whose money it is. The document is the agency as the catalogue file gives it.';

create table services (
    code text constraint services_pkey primary key,
    no bigint generated always as identity constraint services_no_key unique,
    agency text not null constraint services_agency_fk references agencies,
    document jsonb not null,
    suspended_at timestamptz,
    updated_at timestamptz not null
);
comment on table services is 'What a citizen can ask for.';

create table fee_versions (
    id uuid constraint fee_versions_pkey primary key,
    service text not null constraint fee_versions_service_fk references services,
    service_no bigint not null,
    number int not null,
    state text not null constraint fee_versions_state_check
        check (state in ('draft', 'submitted', 'returned', 'approved', 'withdrawn', 'suspended')),
    valid_from date not null,
    valid_until date,
    document jsonb not null,
    document_sha256 bytea not null,
    author text not null,
    approver text,
    created_at timestamptz not null,
    approved_at timestamptz,
    constraint fee_versions_number_key unique (service, number),
    constraint fee_versions_range_check check (valid_until is null or valid_until > valid_from),
    constraint fee_versions_two_people_check check (approver is null or approver <> author),
    constraint fee_versions_approved_check check (state not in ('approved', 'suspended') or approver is not null),
    -- One price a day: the ranges of a service never overlap (a one-number range stands for equality, so that no
    -- extension is needed).
    constraint fee_versions_overlap_excl exclude using gist
        (int8range(service_no, service_no, '[]') with &&, daterange(valid_from, valid_until) with &&)
        where (state in ('approved', 'suspended'))
);
comment on table fee_versions is 'What a service costs from a day on, by which law; valid_until is the first day no longer covered.';

create table catalogue_imports (
    id uuid constraint catalogue_imports_pkey primary key,
    state text not null constraint catalogue_imports_state_check check (state in ('submitted', 'approved', 'returned')),
    files jsonb not null,
    author text not null,
    approver text,
    created_at timestamptz not null,
    decided_at timestamptz,
    constraint catalogue_imports_two_people_check check (approver is null or approver <> author)
);
comment on table catalogue_imports is 'Catalogue files as submitted by one person; nothing in them is in force until another approves.';

create table catalogue_head (
    singleton boolean constraint catalogue_head_pkey primary key default true constraint catalogue_head_singleton_check check (singleton),
    version bigint not null
);
insert into catalogue_head (version) values (1);
comment on table catalogue_head is 'Counts every change of the catalogue: whoever caches prices compares it in the same transaction.';

create function catalogue_head_move() returns trigger language plpgsql as $$
begin
    update catalogue_head set version = version + 1;
    return null;
end $$;
create trigger catalogue_head_move after insert or update or delete on agencies for each statement execute function catalogue_head_move();
create trigger catalogue_head_move after insert or update or delete on services for each statement execute function catalogue_head_move();
create trigger catalogue_head_move after insert or update or delete on fee_versions for each statement execute function catalogue_head_move();

grant select, insert, update on agencies, services, fee_versions, catalogue_imports, catalogue_head to mizan_app;
grant select on agencies, services, fee_versions, catalogue_imports, catalogue_head to mizan_reader, mizan_auditor;
