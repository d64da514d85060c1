create table quotes (
    id uuid constraint quotes_pkey primary key,
    portal uuid not null,
    currency text not null,
    total_minor bigint not null constraint quotes_total_check check (total_minor >= 0),
    body jsonb not null,
    key_id text not null,
    signature bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_by uuid
);
comment on table quotes is 'A priced, signed, expiring promise. Used once: used_by names the payment intent.';

create sequence bill_serials as bigint minvalue 1 maxvalue 99999999;
comment on sequence bill_serials is 'The eight serial digits of bill numbers, shared by all issuers.';

create table payment_intents (
    id uuid constraint payment_intents_pkey primary key,
    portal uuid not null,
    external_reference text not null,
    purpose text not null,
    state text not null constraint payment_intents_state_check check (state in
        ('requires_payment', 'processing', 'partially_paid', 'paid', 'reversed', 'expired', 'canceled')),
    version int not null,
    currency text not null,
    amount_minor bigint not null constraint payment_intents_amount_check check (amount_minor >= 0),
    paid_minor bigint not null default 0 constraint payment_intents_paid_check check (paid_minor between 0 and amount_minor),
    refund_reserved_minor bigint not null default 0
        constraint payment_intents_refund_check check (refund_reserved_minor between 0 and paid_minor),
    refunded_minor bigint not null default 0
        constraint payment_intents_refunded_check check (refunded_minor between 0 and refund_reserved_minor),
    bill_number text not null constraint payment_intents_bill_number_key unique,
    pay_token text not null constraint payment_intents_pay_token_key unique,
    quote uuid not null constraint payment_intents_quote_key unique,
    payer jsonb,
    return_url text,
    metadata jsonb not null,
    channels text[] not null,
    predecessor uuid,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    paid_at timestamptz,
    settlement_on date,
    receipt text
);
create unique index payment_intents_reference_key on payment_intents (portal, external_reference, purpose)
    where state in ('requires_payment', 'processing', 'partially_paid', 'paid');
create index payment_intents_due_idx on payment_intents (expires_at)
    where state in ('requires_payment', 'processing', 'partially_paid');
create index payment_intents_portal_idx on payment_intents (portal, id);
create index payment_intents_external_reference_idx on payment_intents (external_reference);
comment on table payment_intents is 'The life of one payment. Its priced lines stand in the quote it redeemed.';

create table attempts (
    id uuid constraint attempts_pkey primary key,
    intent uuid not null,
    channel text not null,
    state text not null constraint attempts_state_check check (state in
        ('created', 'redirected', 'authorised', 'captured', 'declined', 'abandoned', 'voided', 'unknown', 'reversed')),
    amount_minor bigint not null,
    currency text not null,
    provider_session text,
    page_url text,
    transaction text,
    failure text,
    created_at timestamptz not null,
    deadline_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index attempts_live_key on attempts (intent)
    where state in ('created', 'redirected', 'authorised', 'unknown');
create index attempts_intent_idx on attempts (intent);
create index attempts_due_idx on attempts (deadline_at)
    where state in ('created', 'redirected', 'authorised', 'unknown');
comment on table attempts is 'One try to pay an intent on one channel; the id is our reference at the provider. A live attempt is the lease on the bill.';

create table receipt_series (
    code text constraint receipt_series_pkey primary key,
    last bigint not null
);
comment on table receipt_series is 'Gap-free receipt numbers: every number up to last is issued or voided.';

create table receipts (
    number text constraint receipts_pkey primary key,
    code text not null constraint receipts_code_key unique,
    intent uuid not null,
    state text not null constraint receipts_state_check check (state in
        ('issued', 'provisional', 'confirmed', 'conflicted', 'credited_part', 'credited', 'voided')),
    currency text not null,
    amount_minor bigint not null,
    credited_minor bigint not null default 0 constraint receipts_credited_check check (credited_minor between 0 and amount_minor),
    body text not null,
    key_id text not null,
    signature bytea not null,
    issued_at timestamptz not null
);
create index receipts_intent_idx on receipts (intent);
comment on table receipts is 'What the payer holds as proof; the body is the text that is signed, byte for byte. Never deleted.';

grant select, insert, update on quotes, payment_intents, attempts, receipt_series, receipts to mizan_app;
grant usage on sequence bill_serials to mizan_app;
grant select on quotes, payment_intents, attempts, receipt_series, receipts to mizan_reader, mizan_auditor;
