-- A gateway may use one id a day for what it settles in several currencies: they are several settlements.
alter table settlements
    drop constraint settlements_reference_key,
    add constraint settlements_reference_key unique (channel, reference, currency);
comment on constraint settlements_reference_key on settlements is 'The same again adds nothing; other contents under it are a break.';
