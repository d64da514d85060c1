-- An event is written once and read as it is: as json its text is kept, where jsonb would take it apart and sort it.
alter table events alter column body type json;

-- Texts of a few kilobytes are most of what a payment leaves behind. lz4 packs them in a third of the time of the
-- built-in method; a server built without it keeps the built-in one.
do $$
begin
  if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)) then
    alter table events alter column body set compression lz4;
    alter table idempotency alter column body set compression lz4;
    alter table quotes alter column body set compression lz4;
    alter table receipts alter column body set compression lz4;
  end if;
end
$$;
