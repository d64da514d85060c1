-- The double-entry book. Only the crate mizan-ledger reads and writes this schema.
--
-- What mizan_app may do is little: append a batch with its lines and entries, record a refusal, open an account or a
-- period. Balances, daily totals, accepted outcomes, reversals and the head of the book are written by the triggers
-- below, which first check what was appended. So a mistake of the application can be refused, never recorded.
--
-- One batch, in one transaction, in this order (the head row of the book is locked before):
--   1. batches  the trigger checks that it extends the head by one and moves the head
--   2. lines    the trigger checks sums, accounts and running balances, then moves balances and daily totals
--   3. entries  the trigger checks periods and reversals, then records the accepted outcomes
--   at commit   a deferred trigger checks that the batch is whole: no entry without lines, no line without entry
create schema ledger;
comment on schema ledger is 'The double-entry book: batches of entries of lines on accounts.';
grant usage on schema ledger to mizan_app, mizan_reader, mizan_auditor;

-- Refusals are told apart by the name of the rule, like any constraint.
create function ledger.refuse(rule text, reason text) returns void language plpgsql as $$
begin
  raise exception using errcode = 'check_violation', constraint = rule, message = reason;
end $$;

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  perform ledger.refuse(tg_table_name || '_append_only_check',
    format('%s is append-only: %s is refused', tg_table_name, lower(tg_op)));
  return null;
end $$;

create function ledger.refuse_direct() returns trigger language plpgsql as $$
begin
  perform ledger.refuse(tg_table_name || '_parent_only_check',
    format('%s is a partition: it is written through its parent', tg_table_name));
  return null;
end $$;

create table ledger.currencies (
  code text constraint currencies_code_key primary key,
  exponent smallint not null,
  cash_step_minor bigint not null default 1,
  constraint currencies_code_check check (code ~ '^[A-Z]{3}$'),
  constraint currencies_exponent_check check (exponent between 0 and 4),
  constraint currencies_cash_step_check check (cash_step_minor > 0)
);
comment on table ledger.currencies is 'ISO 4217: decimals of each currency, and the smallest step cash can pay.';
insert into ledger.currencies (code, exponent)
select code, exponent from (values
  (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  (2, 'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY '
   || 'COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS '
   || 'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR '
   || 'MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD '
   || 'SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG'),
  (3, 'BHD IQD JOD KWD LYD OMR TND'),
  (4, 'CLF UYW')) as known (exponent, codes), string_to_table(codes, ' ') as code;

create table ledger.books (
  id integer generated always as identity constraint books_id_key primary key,
  name text not null constraint books_name_key unique,
  head_batch bigint not null default 0,
  head_first bigint not null default 1,
  head_seq bigint not null default 0,
  head_hash bytea not null default decode(repeat('00', 32), 'hex'),
  head_at timestamptz not null default 'epoch',
  head_xid xid8,
  periods_version bigint not null default 0,
  row_lock smallint,
  constraint books_name_check check (name ~ '^[a-z][a-z0-9_-]{0,39}$'),
  constraint books_head_hash_check check (octet_length(head_hash) = 32)
) with (fillfactor = 50);
comment on table ledger.books is 'One row per book; who posts locks it, so batches have one order.';
comment on column ledger.books.head_xid is 'The transaction that appended the last batch: it alone may add its lines and entries.';
comment on column ledger.books.periods_version is 'Changes with every change of a period: what is known of them elsewhere is stale then.';
comment on column ledger.books.row_lock is 'Never written: the right to update it is the right to lock the row.';

create table ledger.periods (
  id integer generated always as identity constraint periods_id_key primary key,
  book_id integer not null constraint periods_book_fk references ledger.books,
  starts_on date not null,
  ends_on date not null,
  status text not null default 'open',
  constraint periods_span_check check (starts_on <= ends_on),
  constraint periods_status_check check (status in ('open', 'soft_closed', 'closed', 'sealed')),
  -- A gist index on (book, range) would need an extension: the book becomes part of the range instead.
  constraint periods_overlap_check exclude using gist (int8range(
    book_id::bigint * 10000000 + (starts_on - date '0001-01-01'),
    book_id::bigint * 10000000 + (ends_on - date '0001-01-01'), '[]') with &&)
);
comment on table ledger.periods is 'Accounting periods: an entry needs an open one at its effective date.';

create table ledger.accounts (
  id bigint generated always as identity constraint accounts_id_key primary key,
  book_id integer not null constraint accounts_book_fk references ledger.books,
  code text not null,
  class text not null,
  currency text not null constraint accounts_currency_fk references ledger.currencies,
  agency text,
  floor_minor bigint,
  ceiling_minor bigint,
  opened_at timestamptz not null,
  closed_at timestamptz,
  constraint accounts_code_key unique (book_id, code, currency),
  constraint accounts_code_check check (octet_length(code) <= 120
    and code ~ '^[a-z0-9]+([_-][a-z0-9]+)*(/[a-z0-9]+([_-][a-z0-9]+)*)*$'),
  constraint accounts_class_check check (class in ('asset', 'liability', 'equity', 'income', 'expense', 'memo'))
);
comment on table ledger.accounts is 'An account holds one currency; the same code in two currencies is two accounts.';
comment on column ledger.accounts.floor_minor is 'As the account was opened; what binds now stands with its balance. So for ceiling_minor.';

create table ledger.balances (
  account_id bigint constraint balances_account_key primary key constraint balances_account_fk references ledger.accounts,
  version bigint not null default 0,
  debits_minor bigint not null default 0,
  credits_minor bigint not null default 0,
  normal smallint not null,
  floor_minor bigint,
  ceiling_minor bigint,
  constraint balances_minor_check check (debits_minor >= 0 and credits_minor >= 0),
  constraint balances_normal_check check (normal in (1, -1)),
  constraint balances_floor_check check ((debits_minor - credits_minor) * normal >= floor_minor),
  constraint balances_ceiling_check check ((debits_minor - credits_minor) * normal <= ceiling_minor)
) with (fillfactor = 50);
comment on table ledger.balances is 'What the lines of an account add up to. Written only by the trigger on lines.';
comment on column ledger.balances.version is 'The number of lines of the account: the account_seq of the last.';
comment on column ledger.balances.normal is '1 where debits increase the account (assets, expenses, memo), else -1. Limits are signed on this side.';

create table ledger.outcomes (
  entry_id uuid constraint outcomes_entry_key primary key,
  book_id integer not null,
  accepted boolean not null default false,
  seq bigint,
  recorded_at timestamptz not null,
  refusal json,
  request_hash bytea,
  constraint outcomes_kind_check check (
    accepted and seq is not null and refusal is null and request_hash is null
    or not accepted and seq is null and refusal is not null and request_hash is not null
      and octet_length(request_hash) = 32)
);
comment on table ledger.outcomes is 'What became of each entry id, for ever: a refused id never succeeds later.';

create table ledger.batches (
  book_id integer not null,
  no bigint not null,
  first_seq bigint not null,
  last_seq bigint not null,
  root bytea not null,
  hash bytea not null,
  recorded_at timestamptz not null,
  constraint batches_no_key primary key (book_id, no),
  constraint batches_recorded_at_key unique (book_id, recorded_at),
  constraint batches_size_check check (last_seq - first_seq between -1 and 511),
  constraint batches_hash_check check (octet_length(root) = 32 and octet_length(hash) = 32)
);
comment on table ledger.batches is 'The hash chain: one link per batch of entries, over the Merkle root of their leaves.';

create table ledger.book_events (
  book_id integer not null,
  batch_no bigint not null,
  kind text not null,
  actor text not null,
  body json not null,
  constraint book_events_batch_key primary key (book_id, batch_no),
  constraint book_events_kind_check check (kind in ('limits', 'account_status', 'period_status')),
  constraint book_events_text_check check (octet_length(actor) between 1 and 120 and octet_length(body::text) <= 4096)
);
comment on table ledger.book_events is 'What changed the book besides entries: a link of the chain each, a batch without entries.';

create table ledger.entries (
  seq bigint not null,
  recorded_at timestamptz not null,
  reverses bigint,
  id uuid not null,
  book_id integer not null,
  period_id integer not null,
  effective_on date not null,
  lines_count smallint not null,
  kind text not null,
  actor text not null,
  source_ref text not null,
  leaf bytea not null,
  meta json not null,
  constraint entries_seq_key primary key (book_id, seq),
  constraint entries_lines_count_check check (lines_count between 2 and 2000),
  constraint entries_effective_on_check check (effective_on <= (recorded_at at time zone 'UTC')::date + 1),
  constraint entries_reverses_check check (reverses < seq),
  constraint entries_leaf_check check (octet_length(leaf) = 32),
  constraint entries_text_check check (octet_length(kind) between 1 and 40 and octet_length(actor) between 1 and 120
    and octet_length(source_ref) between 1 and 200 and octet_length(meta::text) <= 4096)
) partition by range (seq);
comment on table ledger.entries is 'Journal entries. Append-only.';
comment on column ledger.entries.meta is 'A flat JSON object. json, not jsonb: the leaf covers its very bytes.';

create table ledger.lines (
  seq bigint not null,
  amount_minor bigint not null,
  account_seq bigint not null,
  balance_after_minor bigint not null,
  account_id bigint not null,
  book_id integer not null,
  effective_on date not null,
  line_no smallint not null,
  currency text not null,
  constraint lines_line_no_key primary key (book_id, seq, line_no),
  constraint lines_amount_check check (amount_minor <> 0)
) partition by range (seq);
create index lines_account_idx on ledger.lines (account_id, seq, line_no);
comment on table ledger.lines is 'The lines of entries: debit positive, credit negative. Append-only.';
comment on column ledger.lines.balance_after_minor is 'Debits less credits of the account after this line.';

create table ledger.reversals (
  book_id integer not null,
  original_seq bigint not null,
  seq bigint not null,
  constraint reversals_original_key primary key (book_id, original_seq)
);
comment on table ledger.reversals is 'Which entry reversed which: once.';

create table ledger.daily_totals (
  account_id bigint not null,
  effective_on date not null,
  debits_minor bigint not null,
  credits_minor bigint not null,
  lines_count bigint not null,
  first_seq bigint not null,
  last_seq bigint not null,
  constraint daily_totals_day_key primary key (account_id, effective_on)
) with (fillfactor = 70);
comment on table ledger.daily_totals is 'Movements of an account by effective date: the balance on any day without its lines.';
comment on column ledger.daily_totals.first_seq is 'The first entry of the day, so that its lines are found by account and number. So last_seq.';

create table ledger.checkpoints (
  book_id integer not null,
  batch_no bigint not null,
  last_seq bigint not null,
  hash bytea not null,
  published_at timestamptz not null,
  key_id text not null,
  signature bytea not null,
  constraint checkpoints_batch_key primary key (book_id, batch_no),
  constraint checkpoints_batch_fk foreign key (book_id, batch_no) references ledger.batches,
  constraint checkpoints_signature_check check (octet_length(signature) = 64 and octet_length(key_id) between 1 and 80)
);
comment on table ledger.checkpoints is 'Signed heads of the chain, published where nobody here can change them.';

-- Partitions -----------------------------------------------------------------------------------------------------

create table ledger.settings (
  only_row boolean default true constraint settings_only_row_key primary key,
  partition_entries bigint not null default 4000000,
  constraint settings_only_row_check check (only_row),
  constraint settings_partition_entries_check check (partition_entries > 0)
);
comment on table ledger.settings is 'How many entries the next partition of entries and lines will take.';
insert into ledger.settings default values;

create table ledger.partitions (
  no integer constraint partitions_no_key primary key,
  first_seq bigint not null,
  last_seq bigint not null
);
comment on table ledger.partitions is 'The partitions of entries and lines, by sequence number.';

-- Makes partitions until `upto` has a place. A table is made whole and then attached, because attaching does not
-- wait for readers, while `create table ... partition of` would, with every posting queued behind it.
create function ledger.extend(upto bigint) returns bigint language plpgsql security definer
set search_path = ledger, pg_temp as $$
declare
  last record;
  first_new bigint;
  last_new bigint;
  made integer := 0;
  parent text;
  part text;
begin
  perform pg_advisory_xact_lock(hashtextextended('ledger.extend', 0));
  loop
    select coalesce(max(no), 0) as no, coalesce(max(last_seq), 0) as seq into last from partitions;
    exit when last.seq >= upto;
    if made = 100 then
      perform refuse('partitions_ahead_check', format('entry %s is more than 100 partitions ahead', upto));
    end if;
    made := made + 1;
    first_new := last.seq + 1;
    last_new := last.seq + (select partition_entries from settings);
    foreach parent in array array['entries', 'lines'] loop
      part := format('%s_p%s', parent, lpad((last.no + 1)::text, 4, '0'));
      execute format('create table %I (like %I including all)', part, parent);
      execute format('alter table %I add constraint %I check (seq between %s and %s)', part, part || '_seq_check',
        first_new, last_new);
      execute format('create trigger %I before insert or update or delete or truncate on %I
        for each statement execute function refuse_direct()', part || '_parent_only', part);
      execute format('alter table %I attach partition %I for values from (%s) to (%s)', parent, part, first_new,
        last_new + 1);
    end loop;
    insert into partitions values (last.no + 1, first_new, last_new);
  end loop;
  return last.seq;
end $$;

-- Opening accounts and periods -----------------------------------------------------------------------------------

create function ledger.open_accounts(book integer, opened timestamptz, codes text[], classes text[], currencies text[],
  agencies text[], floors bigint[], ceilings bigint[])
returns table (account_id bigint, code text, currency text) language sql security definer
set search_path = ledger, pg_temp as $$
  with asked as (
    select * from unnest(codes, classes, currencies, agencies, floors, ceilings)
      as asked (code, class, currency, agency, floor_minor, ceiling_minor)
  ), opened_now as (
    insert into accounts (book_id, code, class, currency, agency, floor_minor, ceiling_minor, opened_at)
    select book, code, class, currency, agency, floor_minor, ceiling_minor, opened from asked
    returning *
  ), at_zero as (
    insert into balances (account_id, normal, floor_minor, ceiling_minor)
    select id, case when class in ('asset', 'expense', 'memo') then 1 else -1 end, floor_minor, ceiling_minor
    from opened_now
  )
  select id, opened_now.code, opened_now.currency from opened_now
$$;
comment on function ledger.open_accounts is 'Opens accounts with a balance of zero. Refused where one of them exists.';

create function ledger.periods_changed() returns trigger language plpgsql security definer
set search_path = ledger, pg_temp as $$
declare ranks constant text[] := array['open', 'soft_closed', 'closed', 'sealed'];
begin
  -- Periods close in order and reopen in the opposite one.
  if exists (
    select from new_periods n join periods p on p.book_id = n.book_id
    where p.starts_on > n.ends_on and array_position(ranks, p.status) > array_position(ranks, n.status)
       or p.ends_on < n.starts_on and array_position(ranks, p.status) < array_position(ranks, n.status)
  ) then
    perform refuse('periods_order_check', 'periods close in order and reopen in the opposite one');
  end if;
  -- A transaction id is never used twice, not even after a rollback: no two states share a version.
  update books set periods_version = pg_current_xact_id()::text::bigint
  where id in (select book_id from new_periods);
  return null;
end $$;
create trigger periods_inserted after insert on ledger.periods
  referencing new table as new_periods for each statement execute function ledger.periods_changed();
create trigger periods_updated after update on ledger.periods
  referencing new table as new_periods for each statement execute function ledger.periods_changed();

-- Posting --------------------------------------------------------------------------------------------------------

-- A text in a hash: its length as u16, then UTF-8 (chain.rs).
create function ledger.text_bytes(t text) returns bytea language sql immutable as $$
  select int2send(octet_length(t)::smallint) || convert_to(t, 'UTF8')
$$;

-- Moves the head. The hash is computed here again; the layout is that of chain.rs.
create function ledger.batches_inserted() returns trigger language plpgsql security definer
set search_path = ledger, pg_temp as $$
declare moved bigint;
begin
  update books b
  set head_batch = n.no, head_first = n.first_seq, head_seq = n.last_seq, head_hash = n.hash,
      head_at = n.recorded_at, head_xid = pg_current_xact_id()
  from new_batches n
  where b.id = n.book_id and n.no = b.head_batch + 1 and n.first_seq = b.head_seq + 1 and n.recorded_at > b.head_at
    and n.hash = sha256('\x424101'::bytea || text_bytes(b.name) || int8send(n.no) || int8send(n.first_seq) || int8send(n.last_seq) || n.root || b.head_hash);
  get diagnostics moved = row_count;
  if moved <> (select count(*) from new_batches) then
    perform refuse('batches_head_check', 'the batch does not extend the head of its book by one');
  end if;
  return null;
end $$;
create trigger batches_inserted after insert on ledger.batches
  referencing new table as new_batches for each statement execute function ledger.batches_inserted();

create function ledger.assert_open_batch(rule text, book integer, first_seq bigint, last_seq bigint)
returns void language plpgsql as $$
begin
  perform from ledger.books b
  where b.id = book and b.head_xid = pg_current_xact_id() and first_seq >= b.head_first and last_seq <= b.head_seq;
  if not found then
    perform ledger.refuse(rule, format('%s to %s of book %s are not in a batch of this transaction', first_seq, last_seq,
      book));
  end if;
end $$;


create function ledger.lines_inserted() returns trigger language plpgsql security definer
set search_path = ledger, pg_temp as $$
declare
  span record;
  bad record;
  moved bigint;
begin
  select min(book_id) as book, max(book_id) as last_book, min(seq) as first_seq, max(seq) as last_seq,
         count(distinct account_id) as accounts
  into span from new_lines;
  if span.book is null then return null; end if;
  if span.book <> span.last_book then
    perform refuse('lines_batch_check', 'lines of two books in one statement');
  end if;
  perform assert_open_batch('lines_batch_check', span.book, span.first_seq, span.last_seq);

  -- All lines of an entry come in one statement, numbered from 1: later ones would take a number twice.
  select g.seq, bool_or(total <> 0) as unbalanced into bad from (
    select seq, sum(amount_minor) as total, count(*) as lines, min(line_no) as low, max(line_no) as high
    from new_lines group by seq, currency) g
  group by g.seq
  having bool_or(total <> 0) or min(low) <> 1 or max(high) <> sum(lines) or sum(lines) < 2
  limit 1;
  if bad.unbalanced then
    perform refuse('lines_balanced_check', format('debits and credits of entry %s differ', bad.seq));
  elsif bad.seq is not null then
    perform refuse('lines_complete_check', format('the lines of entry %s are not 1 to n, n at least 2', bad.seq));
  end if;

  with linked as (
    select account_id, currency, amount_minor, account_seq, balance_after_minor - amount_minor as before_minor,
           lag(account_seq) over w as previous_seq, lag(balance_after_minor) over w as previous_after
    from new_lines window w as (partition by account_id order by seq, line_no)
  ), movements as (
    select account_id, min(currency) as currency, max(currency) as last_currency, count(*) as lines,
           coalesce(sum(amount_minor) filter (where amount_minor > 0), 0) as debits,
           coalesce(-sum(amount_minor) filter (where amount_minor < 0), 0) as credits,
           min(account_seq) as first_seq,
           min(before_minor) filter (where previous_seq is null) as before_minor,
           bool_and(previous_seq is null or account_seq = previous_seq + 1 and before_minor = previous_after) as unbroken
    from linked group by account_id
  )
  update balances b
  set version = b.version + m.lines, debits_minor = b.debits_minor + m.debits,
      credits_minor = b.credits_minor + m.credits
  from movements m join accounts a on a.id = m.account_id
  where b.account_id = m.account_id and a.book_id = span.book and a.closed_at is null
    and a.currency = m.currency and a.currency = m.last_currency
    and m.unbroken and m.first_seq = b.version + 1 and m.before_minor = b.debits_minor - b.credits_minor;
  get diagnostics moved = row_count;
  if moved <> span.accounts then
    select n.seq, n.line_no,
           case when a.id is null then 'lines_account_check'
                when a.currency <> n.currency then 'lines_currency_check'
                when a.closed_at is not null then 'lines_account_closed_check' end as rule
    into bad
    from new_lines n left join accounts a on a.id = n.account_id and a.book_id = n.book_id
    order by 3, 1, 2 limit 1;
    perform refuse(coalesce(bad.rule, 'lines_running_balance_check'), case
      when bad.rule is null then 'account_seq or balance_after_minor does not continue the account'
      else format('line %s of entry %s does not fit its account', bad.line_no, bad.seq) end);
  end if;

  insert into daily_totals as d
    (account_id, effective_on, debits_minor, credits_minor, lines_count, first_seq, last_seq)
  select account_id, effective_on, coalesce(sum(amount_minor) filter (where amount_minor > 0), 0),
         coalesce(-sum(amount_minor) filter (where amount_minor < 0), 0), count(*), min(seq), max(seq)
  from new_lines group by account_id, effective_on
  on conflict (account_id, effective_on) do update
  set debits_minor = d.debits_minor + excluded.debits_minor, credits_minor = d.credits_minor + excluded.credits_minor,
      lines_count = d.lines_count + excluded.lines_count, last_seq = excluded.last_seq;
  return null;
end $$;
create trigger lines_inserted after insert on ledger.lines
  referencing new table as new_lines for each statement execute function ledger.lines_inserted();

-- A reversal mirrors the lines of an entry that is none itself; the key of `reversals` lets it happen once.
create function ledger.record_reversal(book integer, original bigint, reversal bigint) returns void language plpgsql as $$
begin
  perform from ledger.entries where book_id = book and seq = original and reverses is null;
  if not found then
    perform ledger.refuse('entries_reversal_check', format('%s cannot reverse %s', reversal, original));
  end if;
  if exists (
    (select line_no, account_id, -amount_minor from ledger.lines where book_id = book and seq = original)
    except (select line_no, account_id, amount_minor from ledger.lines where book_id = book and seq = reversal)
  ) or (select max(line_no) from ledger.lines where book_id = book and seq = original)
    <> (select max(line_no) from ledger.lines where book_id = book and seq = reversal) then
    perform ledger.refuse('entries_mirror_check', format('%s is no mirror of %s', reversal, original));
  end if;
  insert into ledger.reversals values (book, original, reversal);
end $$;

create function ledger.entries_inserted() returns trigger language plpgsql security definer
set search_path = ledger, pg_temp as $$
declare
  span record;
begin
  select min(book_id) as book, max(book_id) as last_book, min(seq) as first_seq, max(seq) as last_seq,
         count(reverses) as reversals
  into span from new_entries;
  if span.book is null then return null; end if;
  if span.book <> span.last_book then
    perform refuse('entries_batch_check', 'entries of two books in one statement');
  end if;
  perform assert_open_batch('entries_batch_check', span.book, span.first_seq, span.last_seq);

  if exists (
    select from (select distinct period_id, effective_on from new_entries) e
    left join periods p on p.id = e.period_id and p.book_id = span.book and p.status = 'open'
      and e.effective_on between p.starts_on and p.ends_on
    where p.id is null
  ) then
    perform refuse('entries_period_check', 'an effective date is not in an open period');
  end if;

  if span.reversals > 0 then
    perform record_reversal(span.book, reverses, seq) from new_entries where reverses is not null order by seq;
  end if;

  insert into outcomes (entry_id, book_id, accepted, seq, recorded_at)
  select id, book_id, true, seq, recorded_at from new_entries;
  return null;
end $$;
create trigger entries_inserted after insert on ledger.entries
  referencing new table as new_entries for each statement execute function ledger.entries_inserted();

-- Runs once per batch, at commit: whatever was left out by then, the whole transaction falls.
create function ledger.batch_whole() returns trigger language plpgsql security definer
set search_path = ledger, pg_temp as $$
declare whole_entries bigint;
begin
  if new.last_seq < new.first_seq then
    perform from book_events where book_id = new.book_id and batch_no = new.no;
    if not found then
      perform refuse('batches_whole_check', format('batch %s of book %s has neither entries nor an event', new.no,
        new.book_id));
    end if;
    return null;
  end if;
  -- Entries and lines are counted in one pass: a join could be planned row by row, and cost the square.
  select count(*) into whole_entries from (
    select entry.recorded_at, is_whole,
           lag(entry.recorded_at, 1, before.recorded_at) over (order by seq) < entry.recorded_at as is_later
    from (
      select seq, max(recorded_at) as recorded_at,
             count(recorded_at) = 1 and sum(declared) = sum(counted) and min(effective_on) = max(effective_on) as is_whole
      from (
        select seq, recorded_at, lines_count as declared, 0 as counted, effective_on from entries
        where book_id = new.book_id and seq between new.first_seq and new.last_seq
        union all
        select seq, null, 0, 1, effective_on from lines
        where book_id = new.book_id and seq between new.first_seq and new.last_seq
      ) parts group by seq
    ) entry,
    (select coalesce(max(recorded_at), '-infinity') as recorded_at from batches
     where book_id = new.book_id and no = new.no - 1) before
  ) checked
  where is_whole and is_later and recorded_at <= new.recorded_at;
  if whole_entries <> new.last_seq - new.first_seq + 1 or whole_entries = 0 then
    perform refuse('batches_whole_check', format('batch %s of book %s is not whole', new.no, new.book_id));
  end if;
  return null;
end $$;
create constraint trigger batches_whole after insert on ledger.batches
  deferrable initially deferred for each row execute function ledger.batch_whole();

-- An event is hashed again here and takes effect here: nobody changes a limit, an account or a period otherwise.
create function ledger.book_events_inserted() returns trigger language plpgsql security definer
set search_path = ledger, pg_temp as $$
declare event record;
begin
  for event in select * from new_events loop
    perform from batches t join books b on b.id = t.book_id
    where t.book_id = event.book_id and t.no = event.batch_no and t.last_seq < t.first_seq
      and b.head_batch = t.no and b.head_xid = pg_current_xact_id()
      and t.root = sha256('\x005601'::bytea || text_bytes(b.name) || int8send(t.no)
        || int8send((extract(epoch from t.recorded_at) * 1000000)::bigint)
        || text_bytes(event.kind) || text_bytes(event.actor) || text_bytes(event.body::text));
    if not found then
      perform refuse('book_events_batch_check', 'the event is not the batch of this transaction');
    end if;
    if event.kind = 'period_status' then
      perform change_period(event.book_id, (event.body ->> 'starts_on')::date, event.body ->> 'status');
    else
      perform change_account(event.book_id, event.kind, event.body);
    end if;
  end loop;
  return null;
end $$;

create function ledger.change_account(book integer, kind text, body json) returns void language plpgsql
set search_path = ledger, pg_temp as $$
declare
  account accounts;
  at timestamptz := (select head_at from books where id = book);
begin
  select * into account from accounts
  where book_id = book and code = body ->> 'account' and currency = body ->> 'currency';
  if account.id is null then
    perform refuse('book_events_account_check', format('there is no account %s', body));
  elsif kind = 'limits' then
    update balances
    set floor_minor = (body ->> 'floor_minor')::bigint, ceiling_minor = (body ->> 'ceiling_minor')::bigint
    where account_id = account.id;
  elsif body ->> 'status' = 'open' and account.closed_at is not null then
    update accounts set closed_at = null where id = account.id;
  elsif body ->> 'status' = 'closed' and account.closed_at is null then
    if exists (select from balances where account_id = account.id and debits_minor <> credits_minor) then
      perform refuse('accounts_closed_at_zero_check', format('%s is not at zero', account.code));
    end if;
    update accounts set closed_at = at where id = account.id;
  else
    perform refuse('book_events_change_check', format('no change: %s', body));
  end if;
end $$;

create function ledger.change_period(book integer, starts date, new_status text) returns void language plpgsql
set search_path = ledger, pg_temp as $$
declare period periods;
begin
  select * into period from periods where book_id = book and starts_on = starts;
  if period.id is null
     or (period.status, new_status) not in (('open', 'soft_closed'), ('soft_closed', 'open'),
       ('soft_closed', 'closed'), ('closed', 'soft_closed'), ('closed', 'sealed')) then
    perform refuse('book_events_change_check', format('no period that starts on %s can become %s', starts, new_status));
  end if;
  update periods set status = new_status where id = period.id;
end $$;
create trigger book_events_inserted after insert on ledger.book_events
  referencing new table as new_events for each statement execute function ledger.book_events_inserted();

-- Append-only, for everyone, the owner included.
do $$
declare name text;
begin
  foreach name in array array['entries', 'lines', 'batches', 'book_events', 'outcomes', 'reversals', 'checkpoints'] loop
    execute format('create trigger %I before update or delete or truncate on ledger.%I
      for each statement execute function ledger.refuse_change()', name || '_append_only', name);
  end loop;
  foreach name in array array['books', 'periods', 'accounts', 'balances', 'daily_totals'] loop
    execute format('create trigger %I before delete or truncate on ledger.%I
      for each statement execute function ledger.refuse_change()', name || '_kept', name);
  end loop;
end $$;

-- Rights ---------------------------------------------------------------------------------------------------------

revoke all on all functions in schema ledger from public;
grant execute on function ledger.extend, ledger.open_accounts to mizan_app;

grant select on all tables in schema ledger to mizan_app, mizan_reader, mizan_auditor;
grant insert (name), update (row_lock) on ledger.books to mizan_app;
grant insert (book_id, starts_on, ends_on) on ledger.periods to mizan_app;
grant insert on ledger.batches, ledger.lines, ledger.entries, ledger.book_events, ledger.checkpoints to mizan_app;
grant insert (book_id, entry_id, recorded_at, refusal, request_hash) on ledger.outcomes to mizan_app;

-- Last: partitions get no rights of their own.
select ledger.extend(1);
