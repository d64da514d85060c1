-- What channels took back of money they had brought, one row for each time that it was told or listed.
create table money_taken_back (
    notice bigint constraint money_taken_back_pkey primary key,
    money_key text not null,
    listed boolean not null,
    currency text not null,
    amount_minor bigint not null
);
create index money_taken_back_key_idx on money_taken_back (money_key);
comment on table money_taken_back is 'By the key of the money; of an order whose money nobody has told of yet, by that of the order. A settlement lists what callbacks told: of the two sums the larger counts.';
comment on column money_taken_back.listed is 'By a settlement, not by a callback or a question.';

insert into money_taken_back (notice, money_key, listed, currency, amount_minor)
    select n, coalesce(channel || ':' || original_transaction, money_key), source = 'report', currency, amount_minor
    from notices where meaning = 'reversed' and state = 'applied';

grant select, insert, update on money_taken_back to mizan_app;
grant select on money_taken_back to mizan_reader, mizan_auditor;
