create table notices (
    n bigint generated always as identity constraint notices_pkey primary key,
    channel text not null,
    transaction text not null,
    status text not null,
    meaning text not null constraint notices_meaning_check check (meaning in
        ('money', 'declined', 'refunded', 'refund_failed', 'reversed', 'information')),
    source text not null constraint notices_source_check check (source in ('callback', 'query', 'statement', 'report', 'counter')),
    reference text,
    currency text not null,
    amount_minor bigint not null,
    original_transaction text,
    reason text,
    money_key text not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    raw bytea not null,
    headers jsonb not null,
    entry_id uuid not null,
    fallback_entry_id uuid not null,
    state text not null constraint notices_state_check check (state in ('waiting', 'applied', 'set_aside', 'altered')),
    outcome text,
    intent uuid,
    applied_at timestamptz
);
create unique index notices_fact_key on notices (channel, transaction, status) where state <> 'altered';
create index notices_waiting_idx on notices (n) where state = 'waiting';
create index notices_reference_idx on notices (reference) where state = 'waiting';
create index notices_intent_idx on notices (intent);
comment on table notices is 'Outside facts about money, stored raw and applied later by the poster: the only door for news of money.';

create table notices_refused (
    n bigint generated always as identity constraint notices_refused_pkey primary key,
    channel text not null,
    reason text not null,
    raw bytea not null,
    received_at timestamptz not null
);
comment on table notices_refused is 'Messages refused at the door (bad signature, unreadable): a ring of at most 10,000 per channel.';

create table money_keys (
    money_key text constraint money_keys_pkey primary key,
    notice bigint not null,
    entry_id uuid,
    created_at timestamptz not null
);
comment on table money_keys is 'One money, one key: claimed before anything is posted, whichever way the news came.';

grant select, insert, update on notices to mizan_app;
grant select, insert, delete on notices_refused to mizan_app;
grant select, insert on money_keys to mizan_app;
grant select on notices, notices_refused, money_keys to mizan_reader, mizan_auditor;
