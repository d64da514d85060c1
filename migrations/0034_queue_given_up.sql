create index jobs_dead_idx on jobs (kind, subject) where state = 'dead';
comment on column jobs.state is 'dead: nobody tries it any more; a break says so, until a job of its kind and subject is done.';
