create sequence refund_serials as bigint minvalue 1 maxvalue 999999999;
comment on sequence refund_serials is 'The serial digits of a refund''s reference on payment files: short enough for any statement.';

create table refunds (
    id uuid constraint refunds_pkey primary key,
    serial bigint not null constraint refunds_serial_key unique,
    portal uuid,
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
    constraint refunds_rail_details_check check
        (case rail when 'gateway' then original_transaction is not null else payee is not null end),
    constraint refunds_two_people_check check (decided_by is null or decided_by <> requested_by)
);
create index refunds_intent_idx on refunds (intent);
create index refunds_suspense_item_idx on refunds (suspense_item);
create index refunds_portal_idx on refunds (portal, id);
create index refunds_payment_file_idx on refunds (payment_file);
create index refunds_open_idx on refunds (state, id) where state not in ('refused', 'canceled', 'succeeded', 'unclaimed');
comment on table refunds is 'Money given back: asked by one, approved by another, final only when the bank shows it.';
comment on column refunds.portal is 'Who hears of it; null for money in suspense that no portal knows.';
comment on column refunds.channel is 'Rail gateway: the channel; rail bank: the name of our account.';

create table refund_attempts (
    refund uuid not null,
    instruction int not null,
    state text not null constraint refund_attempts_state_check check (state in
        ('sending', 'accepted', 'carried_out', 'rejected', 'unknown', 'not_sent')),
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
    state text not null constraint payment_files_state_check check (state in
        ('written', 'sending', 'sent', 'rejected', 'unknown', 'settled', 'withdrawn')),
    bank_file text,
    answer bytea,
    created_at timestamptz not null,
    sent_at timestamptz
);
comment on table payment_files is 'pain.001 files: hash and control sum as sent; never two files for one MsgId.';

grant select, insert, update on refunds, refund_attempts, payment_files to mizan_app;
grant usage on sequence refund_serials to mizan_app;
grant select on refunds, refund_attempts, payment_files to mizan_reader, mizan_auditor;
