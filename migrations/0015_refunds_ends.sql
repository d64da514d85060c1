-- Where the money of a refund went when it did not reach the payer, so that a past day can be proved again.
alter table refunds add column ended_entry_id uuid;
comment on column refunds.ended_entry_id is 'Of a refund canceled after its approval, or given up: the entry that moved its money out of refunds/payable.';
alter table refund_attempts add column returned_entry_id uuid;
comment on column refund_attempts.returned_entry_id is 'The entry by which the money of this instruction came back.';
