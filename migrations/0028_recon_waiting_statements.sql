-- A bank further east ends its day before the hub does: its statement waits for the day, and is judged when it has come.
alter table statements
    drop constraint statements_state_check,
    add constraint statements_state_check check (state in ('waiting', 'accepted', 'quarantined', 'superseded'));
create index statements_waiting_idx on statements (period_on) where state = 'waiting';
comment on table statements is 'One account''s statement. Accepted when it closes and continues the one before; waiting while its day has not come; else quarantined with the reason.';
