create table statement_files (
    id uuid constraint statement_files_pkey primary key,
    sha256 bytea not null constraint statement_files_sha256_key unique,
    name text not null,
    source text not null constraint statement_files_source_check check (source in ('upload', 'folder')),
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
    number text not null,
    currency text not null,
    reference text not null,
    sequence bigint,
    period_on date,
    covers_from date,
    opening_minor bigint,
    closing_minor bigint,
    lines_count bigint not null,
    content bytea not null,
    state text not null constraint statements_state_check check (state in ('accepted', 'quarantined', 'superseded')),
    cause text constraint statements_cause_check check (cause in
        ('unknown_account', 'no_day', 'no_balances', 'does_not_close', 'doubtful', 'altered', 'gap', 'repeats')),
    reason text,
    created_at timestamptz not null,
    accepted_at timestamptz,
    constraint statements_verdict_check check ((state = 'accepted') = (accepted_at is not null)),
    constraint statements_cause_known_check check (state = 'accepted' or (cause is not null and reason is not null)),
    constraint statements_chain_check check
        (state <> 'accepted' or num_nulls(period_on, covers_from, opening_minor, closing_minor) = 0)
);
create unique index statements_identity_key on statements (account, currency, reference, period_on)
    where state = 'accepted';
create index statements_quarantined_idx on statements (account, currency, opening_minor) where state = 'quarantined';
create index statements_day_idx on statements (account, currency, period_on);
comment on table statements is 'One account''s statement. Accepted when it closes and continues the one before; else quarantined with the reason.';
comment on column statements.account is 'The account''s name in the books; the number as printed when no bank of ours has it.';
comment on column statements.content is 'SHA-256 over balances and booked lines: the same statement again, or another one under its name.';

create table statement_positions (
    account text constraint statement_positions_pkey primary key,
    currency text not null,
    opened_on date not null,
    opening_minor bigint not null,
    through_on date not null,
    closing_minor bigint not null,
    statement uuid not null
);
comment on table statement_positions is 'How far each bank account is known: from the opening of its first accepted statement to the closing of its last.';

create table statement_lines (
    id bigint generated always as identity constraint statement_lines_pkey primary key,
    statement uuid not null,
    ordinal bigint not null,
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
    state text not null constraint statement_lines_state_check check (state in ('new', 'noticed', 'matched', 'suspense')),
    rule text,
    reason text,
    entry_id uuid not null,
    constraint statement_lines_ordinal_key unique (statement, ordinal)
);
create index statement_lines_new_idx on statement_lines (id) where state in ('new', 'noticed');
create index statement_lines_money_key_idx on statement_lines (money_key);
comment on table statement_lines is 'Booked lines and what became of each; only those of accepted statements are matched. Credits are positive.';
comment on column statement_lines.entry_id is 'Minted with the line: the entry that books it carries this id, whenever that is.';

create table settlement_reports (
    channel text not null,
    day date not null,
    state text not null constraint settlement_reports_state_check check (state in ('wanted', 'taken')),
    problem text,
    asked_at timestamptz,
    constraint settlement_reports_pkey primary key (channel, day)
);
create index settlement_reports_wanted_idx on settlement_reports (day) where state = 'wanted';
comment on table settlement_reports is 'The days for which a channel must tell what it settled, and whether it has told.';

create table settlements (
    id uuid constraint settlements_pkey primary key,
    channel text not null,
    reference text not null,
    account text not null,
    day date not null,
    currency text not null,
    costs_minor bigint not null,
    net_minor bigint not null,
    state text not null constraint settlements_state_check check (state in ('reported', 'matched')),
    statement_line bigint,
    entry_id uuid not null,
    created_at timestamptz not null,
    matched_at timestamptz,
    constraint settlements_reference_key unique (channel, reference)
);
create index settlements_reported_idx on settlements (account, currency) where state = 'reported';
comment on table settlements is 'What a channel says it paid us in one sum; matched when the bank line is found (or the sum is zero).';

create table settlement_items (
    settlement uuid not null,
    ordinal int not null,
    kind text not null constraint settlement_items_kind_check check (kind in ('payment', 'refund')),
    transaction text not null,
    reference text not null,
    gross_minor bigint not null constraint settlement_items_gross_check check (gross_minor > 0),
    cost_minor bigint not null,
    constraint settlement_items_pkey primary key (settlement, ordinal)
);
create index settlement_items_transaction_idx on settlement_items (transaction);
comment on table settlement_items is 'The payments and refunds inside a settlement, as the channel lists them.';

grant select, insert, update on statement_files, statements, statement_positions, statement_lines,
    settlement_reports, settlements, settlement_items to mizan_app;
grant select on statement_files, statements, statement_positions, statement_lines, settlement_reports, settlements,
    settlement_items to mizan_reader, mizan_auditor;
