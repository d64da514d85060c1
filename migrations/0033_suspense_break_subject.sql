-- An item and its break name each other: the break ends when the last of the item was given back.
alter table suspense_items add column break_subject text;
update suspense_items set break_subject = coalesce(money_key, id::text);
alter table suspense_items alter column break_subject set not null;
comment on column suspense_items.break_subject is 'The subject of the break that tells of the item; its category is the cause.';
