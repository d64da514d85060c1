-- What every payment costs the database: fewer indexes to feed, and rules that are not read anew at every row.

-- A state's list of words is a type: its rule is kept ready between statements, a table's CHECK is not.
create domain intent_state as text constraint intent_state_check check (value in
    ('requires_payment', 'processing', 'partially_paid', 'paid', 'reversed', 'expired', 'canceled'));
create domain notice_state as text constraint notice_state_check check (value in
    ('waiting', 'applied', 'set_aside', 'altered'));
create domain notice_meaning as text constraint notice_meaning_check check (value in
    ('money', 'declined', 'refunded', 'refund_failed', 'reversed', 'information'));
create domain notice_source as text constraint notice_source_check check (value in
    ('callback', 'query', 'statement', 'report', 'counter'));

-- The predecessor of an intent is its reference's newest: found by an index that knows the whole reference. By the
-- portal's index alone it was looked for among all that the portal ever opened.
drop index payment_intents_external_reference_idx, payment_intents_reference_key, payment_intents_due_idx;
alter table payment_intents
    drop constraint payment_intents_state_check,
    drop constraint payment_intents_amount_check,
    drop constraint payment_intents_paid_check,
    drop constraint payment_intents_refund_check,
    drop constraint payment_intents_refunded_check,
    drop constraint payment_intents_kept_check,
    add constraint payment_intents_amounts_check check (
        0 <= refunded_minor and refunded_minor <= refund_reserved_minor and 0 <= kept_minor
        and refund_reserved_minor + kept_minor <= paid_minor and paid_minor <= amount_minor),
    alter column state type intent_state;
create unique index payment_intents_reference_key on payment_intents (portal, external_reference, purpose)
    where state in ('requires_payment', 'processing', 'partially_paid', 'paid');
create index payment_intents_due_idx on payment_intents (expires_at)
    where state in ('requires_payment', 'processing', 'partially_paid');
create index payment_intents_external_reference_idx on payment_intents (external_reference, portal, purpose, id);

-- That a quote is used once is kept by payment_intents_quote_key: a quote is written once and stays as it is.
alter table quotes drop column used_by;
comment on table quotes is 'A priced, signed, expiring promise. Used once: by the payment intent that names it.';

-- Only an event that was published has a position.
alter table events drop constraint events_position_key;
create unique index events_position_key on events (portal, position) where position is not null;

drop index notices_fact_key, notices_waiting_idx, notices_reference_idx, notices_intent_idx;
alter table notices
    drop constraint notices_state_check,
    drop constraint notices_meaning_check,
    drop constraint notices_source_check,
    alter column state type notice_state,
    alter column meaning type notice_meaning,
    alter column source type notice_source;
create unique index notices_fact_key on notices (channel, transaction, status) where state <> 'altered';
create index notices_waiting_idx on notices (n) where state = 'waiting';
create index notices_reference_idx on notices (reference) where state = 'waiting';
create index notices_intent_idx on notices (intent) where intent is not null;

drop index expectations_refund_idx;
create index expectations_refund_idx on expectations (refund) where refund is not null;
