-- In which order the accepted statements of an account follow each other. Pages of a day may come in any order, and two that
-- waited may be accepted at once.
create sequence statement_places;
alter table statements add column place bigint;
update statements set place = ordered.place from (
    select id, row_number() over (order by period_on, sequence nulls first,
        (select line.id from statement_lines line where line.statement = statements.id and line.ordinal = 1) nulls first, id) as place
    from statements where state = 'accepted') as ordered
where statements.id = ordered.id;
select setval('statement_places', 1 + (select count(*) from statements));
comment on column statements.place is 'Grows along the chain; null for one of a day without a movement that came after the next.';

grant usage on sequence statement_places to mizan_app;
