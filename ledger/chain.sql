-- The hash chain computed again by PostgreSQL alone: a second implementation of src/chain.rs for whoever would
-- rather not trust the first. Give it to psql as any role that may read; each row of its answer is a difference.
create function pg_temp.text_bytes(t text) returns bytea language sql immutable as $$
  select int2send(octet_length(t)::smallint) || convert_to(t, 'UTF8')
$$;

create function pg_temp.micros(t timestamptz) returns bytea language sql immutable as $$
  select int8send((extract(epoch from t) * 1000000)::bigint)
$$;

-- RFC 6962: pairs of neighbours, level by level; a lone last one moves up as it is.
create function pg_temp.root(leaves bytea[]) returns bytea language plpgsql immutable as $$
declare
  level bytea[] := leaves;
begin
  while cardinality(level) > 1 loop
    level := (
      select array_agg(coalesce(sha256('\x01'::bytea || level[i] || level[i + 1]), level[i]) order by i)
      from generate_series(1, cardinality(level), 2) as i
    );
  end loop;
  return level[1];
end $$;

with leaves as (
  select e.book_id, e.seq, e.leaf, sha256('\x004501'::bytea || pg_temp.text_bytes(b.name) || int8send(e.seq)
    || pg_temp.micros(e.recorded_at) || int8send(coalesce(e.reverses, 0)) || uuid_send(e.id)
    || int4send(e.effective_on - date '1970-01-01') || pg_temp.text_bytes(e.kind) || pg_temp.text_bytes(e.actor)
    || pg_temp.text_bytes(e.source_ref) || pg_temp.text_bytes(e.meta::text) || int2send(e.lines_count)
    || (select string_agg(pg_temp.text_bytes(a.code) || pg_temp.text_bytes(l.currency) || int8send(l.amount_minor),
          ''::bytea order by l.line_no)
        from ledger.lines l join ledger.accounts a on a.id = l.account_id
        where l.book_id = e.book_id and l.seq = e.seq)) as computed
  from ledger.entries e join ledger.books b on b.id = e.book_id
), roots as (
  select t.book_id, t.no, t.root, coalesce(
    (select sha256('\x005601'::bytea || pg_temp.text_bytes(b.name) || int8send(t.no) || pg_temp.micros(t.recorded_at)
       || pg_temp.text_bytes(v.kind) || pg_temp.text_bytes(v.actor) || pg_temp.text_bytes(v.body::text))
     from ledger.book_events v where v.book_id = t.book_id and v.batch_no = t.no),
    (select pg_temp.root(array_agg(s.computed order by s.seq)) from leaves s
     where s.book_id = t.book_id and s.seq between t.first_seq and t.last_seq)) as computed
  from ledger.batches t join ledger.books b on b.id = t.book_id
), hashes as (
  select t.book_id, t.no, t.hash, sha256('\x424101'::bytea || pg_temp.text_bytes(b.name) || int8send(t.no)
    || int8send(t.first_seq) || int8send(t.last_seq) || r.computed
    || lag(t.hash, 1, decode(repeat('00', 32), 'hex')) over (partition by t.book_id order by t.no)) as computed
  from ledger.batches t join ledger.books b on b.id = t.book_id join roots r on r.book_id = t.book_id and r.no = t.no
)
select 'leaf' as what, book_id, seq as place from leaves where leaf is distinct from computed
union all select 'root', book_id, no from roots where root is distinct from computed
union all select 'hash', book_id, no from hashes where hash is distinct from computed
union all select 'head', b.id, b.head_batch from ledger.books b
  where b.head_batch > 0 and not exists (
    select from hashes h where h.book_id = b.id and h.no = b.head_batch and h.computed = b.head_hash)
order by 2, 1, 3;
