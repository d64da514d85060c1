-- The states of which nothing is made yet are no states: a payment that its channel takes back is a break and stays paid,
-- and the channels there are neither authorise before they capture nor void.
alter domain intent_state drop constraint intent_state_check;
alter domain intent_state add constraint intent_state_check check (value in
    ('requires_payment', 'processing', 'partially_paid', 'paid', 'expired', 'canceled'));

drop index attempts_live_key, attempts_due_idx;
alter table attempts
    drop constraint attempts_state_check,
    add constraint attempts_state_check check (state in
        ('created', 'redirected', 'captured', 'declined', 'abandoned', 'unknown', 'reversed'));
create unique index attempts_live_key on attempts (intent) where state in ('created', 'redirected', 'unknown');
create index attempts_due_idx on attempts (deadline_at) where state in ('created', 'redirected', 'unknown');
