create table expectations (
    id uuid constraint expectations_pkey primary key,
    kind text not null constraint expectations_kind_check check (kind in ('payment', 'refund', 'netted_refund', 'payout', 'cost')),
    channel text not null,
    account text not null,
    currency text not null,
    amount_minor bigint not null,
    cost_minor bigint not null default 0,
    transaction text,
    reference text,
    money_key text,
    intent uuid,
    refund uuid,
    born_on date not null,
    due_on date not null,
    state text not null constraint expectations_state_check check (state in ('open', 'met', 'withdrawn')),
    statement_line bigint,
    settlement text,
    entry_id uuid,
    created_at timestamptz not null,
    met_at timestamptz
);
create index expectations_open_idx on expectations (channel, currency, born_on) where state = 'open';
create index expectations_transaction_idx on expectations (channel, transaction);
create unique index expectations_money_key_key on expectations (money_key, kind) where money_key is not null and state <> 'withdrawn';
create index expectations_reference_idx on expectations (reference) where reference is not null;
create index expectations_due_idx on expectations (account, due_on) where state = 'open';
create index expectations_intent_idx on expectations (intent);
create index expectations_refund_idx on expectations (refund);
comment on table expectations is 'Money we say will be seen at the bank: born with the entry, met by a statement line or a channel''s settlement.';

grant select, insert, update on expectations to mizan_app;
grant select on expectations to mizan_reader, mizan_auditor;
