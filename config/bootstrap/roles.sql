-- The roles of a cluster that holds Mizan. Run by a superuser, as often as you like.
do $$
begin
  if not exists (select from pg_roles where rolname = 'mizan_owner') then create role mizan_owner nologin; end if;
  if not exists (select from pg_roles where rolname = 'mizan_app') then create role mizan_app login; end if;
  if not exists (select from pg_roles where rolname = 'mizan_reader') then create role mizan_reader login; end if;
  if not exists (select from pg_roles where rolname = 'mizan_auditor') then create role mizan_auditor login; end if;
end
$$;
alter role mizan_app set lock_timeout = '5s';
alter role mizan_app set idle_in_transaction_session_timeout = '5s';
alter role mizan_app set enable_seqscan = off;
