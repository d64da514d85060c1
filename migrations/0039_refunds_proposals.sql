alter table refunds add column proposed_by text, add column proposed_note text;
comment on column refunds.proposed_by is 'Who proposes its end: of a failed or returned one that it is given up, of an unknown one that it was not carried out. Another person agrees; any other step of the refund takes it back.';
