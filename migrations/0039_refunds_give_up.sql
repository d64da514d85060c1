alter table refunds add column give_up_by text, add column give_up_note text;
comment on column refunds.give_up_by is 'Who proposes that no way to the payer will be found; another person agrees. Any other step of the refund takes it back.';
