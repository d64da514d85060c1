create table suspense_items (
    id uuid constraint suspense_items_pkey primary key,
    account text not null,
    currency text not null,
    amount_minor bigint not null constraint suspense_items_amount_check check (amount_minor > 0),
    used_minor bigint not null default 0 constraint suspense_items_used_check check (used_minor between 0 and amount_minor),
    cause text not null,
    notice bigint,
    statement_line bigint,
    intent uuid,
    money_key text,
    entry_id uuid not null,
    created_at timestamptz not null
);
create index suspense_items_open_idx on suspense_items (account, currency) where used_minor < amount_minor;
create index suspense_items_intent_idx on suspense_items (intent);
comment on table suspense_items is 'Money that is here and not yet applied: listed one by one, so that the suspense accounts can be proved.';

grant select, insert, update on suspense_items to mizan_app;
grant select on suspense_items to mizan_reader, mizan_auditor;
