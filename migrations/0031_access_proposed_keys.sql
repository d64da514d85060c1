-- A key that releases money is given by two administrators.
alter table keys add column proposed_by text;
comment on column keys.proposed_by is 'Who gave the key, while another administrator is waited for. Until then it signs nothing.';
