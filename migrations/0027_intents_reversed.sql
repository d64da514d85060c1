-- What a payment's channels took back of it: the payer has it again, and no refund gives it to him a second time.
alter table payment_intents
    add column reversed_minor bigint not null default 0,
    add constraint payment_intents_reversed_check check (reversed_minor between 0 and paid_minor);
comment on column payment_intents.reversed_minor is 'Of what was paid: taken back by its channels from whom they had paid it to.';
