alter table refund_attempts add column payee jsonb;
comment on column refund_attempts.payee is 'To whom this instruction went, where it named somebody; another may have been named since.';
update refund_attempts set payee = refunds.payee from refunds
    where refunds.id = refund_attempts.refund and refunds.instruction = refund_attempts.instruction;
