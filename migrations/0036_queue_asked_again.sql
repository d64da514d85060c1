alter table jobs add column again_at timestamptz, add column again_body jsonb;
comment on column jobs.again_at is 'Asked for once more while a worker did it: what it then read may be older than the wish, so it is done again after this.';
