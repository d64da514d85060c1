alter table payment_intents
    add column fulfilment jsonb not null default '{}',
    add column kept_minor bigint not null default 0,
    add constraint payment_intents_kept_check
        check (kept_minor >= 0 and refund_reserved_minor + kept_minor <= paid_minor);
comment on column payment_intents.fulfilment is 'By place of the line: what its agency reported, delivered or rejected.';
comment on column payment_intents.kept_minor is 'Of what was paid: no longer refundable, because its service was delivered.';

create table releases (
    intent uuid not null,
    line int not null,
    component text not null,
    currency text not null,
    amount_minor bigint not null constraint releases_amount_check check (amount_minor >= 0),
    cause text not null constraint releases_cause_check check (cause in ('delivered', 'rejected', 'time')),
    entry_id uuid not null,
    released_at timestamptz not null,
    constraint releases_pkey primary key (intent, line, component)
);
comment on table releases is 'Components that were held for their agency and are payable to it now; each once.';

grant select, insert on releases to mizan_app;
grant select on releases to mizan_reader, mizan_auditor;
