-- By which channel or bank account an instruction went: nobody else's news is about it.
alter table refund_attempts add column channel text;
update refund_attempts set channel = refunds.channel from refunds where refunds.id = refund;
alter table refund_attempts alter column channel set not null;
