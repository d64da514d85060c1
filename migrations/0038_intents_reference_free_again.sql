-- A payment of which its channels took back all is none any more: its application may be paid anew.
drop index payment_intents_reference_key;
create unique index payment_intents_reference_key on payment_intents (portal, external_reference, purpose)
    where state in ('requires_payment', 'processing', 'partially_paid', 'paid')
      and (state <> 'paid' or reversed_minor < amount_minor or amount_minor = 0);
