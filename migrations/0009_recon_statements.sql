create table statement_files (
    id uuid constraint statement_files_pkey primary key,
    sha256 bytea not null constraint statement_files_sha256_key unique,
    name text not null,
    source text not null,
    format text not null,
    encoding text not null,
    bytes bytea not null,
    imported_at timestamptz not null,
    imported_by text not null,
    problems jsonb not null default '[]'
);
comment on table statement_files is 'Every statement file as it came; a file twice is one row.';

create table statements (
    id uuid constraint statements_pkey primary key,
    file uuid not null,
    account text not null,
    currency text not null,
    reference text not null,
    sequence bigint,
    period_on date not null,
    opening_minor bigint,
    closing_minor bigint,
    lines_count int not null,
    state text not null constraint statements_state_check check (state in ('accepted', 'quarantined', 'superseded')),
    reason text,
    created_at timestamptz not null
);
create unique index statements_identity_key on statements (account, currency, reference, period_on)
    where state = 'accepted';
create index statements_day_idx on statements (account, currency, period_on);
comment on table statements is 'One account''s statement. Accepted when it closes and continues the one before; else quarantined with the reason.';

create table statement_lines (
    id bigint generated always as identity constraint statement_lines_pkey primary key,
    statement uuid not null,
    ordinal int not null,
    currency text not null,
    amount_minor bigint not null constraint statement_lines_amount_check check (amount_minor <> 0),
    booked_on date not null,
    value_on date,
    bank_reference text,
    end_to_end text,
    creditor_reference text,
    payer text,
    text text not null,
    raw text not null,
    reversal boolean not null,
    money_key text not null,
    state text not null constraint statement_lines_state_check check (state in ('new', 'matched', 'noticed', 'suspense')),
    rule text,
    reason text,
    entry_id uuid,
    constraint statement_lines_ordinal_key unique (statement, ordinal)
);
create index statement_lines_new_idx on statement_lines (id) where state in ('new', 'noticed');
create index statement_lines_money_key_idx on statement_lines (money_key);
comment on table statement_lines is 'Booked lines of accepted statements and what became of each. Credits are positive.';

grant select, insert, update on statement_files, statements, statement_lines to mizan_app;
grant select on statement_files, statements, statement_lines to mizan_reader, mizan_auditor;
