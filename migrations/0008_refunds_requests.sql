create table refunds (
    id uuid constraint refunds_pkey primary key,
    portal uuid not null,
    intent uuid,
    suspense_item uuid,
    state text not null constraint refunds_state_check check (state in
        ('requested', 'refused', 'canceled', 'awaiting_funds', 'approved', 'submitted', 'unknown', 'failed',
         'succeeded', 'returned', 'unclaimed')),
    version int not null,
    currency text not null,
    amount_minor bigint not null constraint refunds_amount_check check (amount_minor > 0),
    components jsonb not null,
    reason text not null,
    rail text not null constraint refunds_rail_check check (rail in ('gateway', 'bank')),
    channel text not null,
    original_transaction text,
    payee jsonb,
    requested_by text not null,
    decided_by text,
    decision_note text,
    instruction int not null default 0,
    provider_transaction text,
    payment_file uuid,
    approved_entry_id uuid not null,
    created_at timestamptz not null,
    decided_at timestamptz,
    submitted_at timestamptz,
    succeeded_at timestamptz,
    failure text,
    constraint refunds_source_check check (num_nonnulls(intent, suspense_item) = 1),
    constraint refunds_two_people_check check (decided_by is null or decided_by <> requested_by)
);
create index refunds_intent_idx on refunds (intent);
create index refunds_portal_idx on refunds (portal, id);
create index refunds_open_idx on refunds (state, id) where state not in ('refused', 'canceled', 'succeeded', 'unclaimed');
comment on table refunds is 'Money given back: asked by one, approved by another, final only when the bank shows it.';

create table refund_attempts (
    refund uuid not null,
    instruction int not null,
    state text not null constraint refund_attempts_state_check check (state in ('sending', 'accepted', 'rejected', 'unknown')),
    reference text not null constraint refund_attempts_reference_key unique,
    answer text,
    started_at timestamptz not null,
    ended_at timestamptz,
    constraint refund_attempts_pkey primary key (refund, instruction)
);
comment on table refund_attempts is 'One instruction to the rail: committed as sending before the first byte leaves.';

create table payment_files (
    id uuid constraint payment_files_pkey primary key,
    msg_id text not null constraint payment_files_msg_id_key unique,
    account text not null,
    currency text not null,
    orders int not null,
    total_minor bigint not null,
    sha256 bytea not null,
    bytes bytea not null,
    state text not null constraint payment_files_state_check check (state in ('written', 'sent', 'accepted', 'rejected', 'part', 'unknown')),
    bank_file text,
    answer bytea,
    created_at timestamptz not null,
    sent_at timestamptz
);
comment on table payment_files is 'pain.001 files: hash and control sum as sent; never two files for one MsgId.';

grant select, insert, update on refunds, refund_attempts, payment_files to mizan_app;
grant select on refunds, refund_attempts, payment_files to mizan_reader, mizan_auditor;
