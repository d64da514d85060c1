create table jobs (
    id bigint generated always as identity constraint jobs_pkey primary key,
    kind text not null,
    subject text not null,
    body jsonb not null default '{}',
    state text not null constraint jobs_state_check check (state in ('ready', 'done', 'dead')),
    run_at timestamptz not null,
    attempt int not null default 0,
    lease_until timestamptz,
    last_error text,
    created_at timestamptz not null
);
create unique index jobs_live_key on jobs (kind, subject) where state = 'ready';
create index jobs_due_idx on jobs (kind, run_at) where state = 'ready';
comment on table jobs is 'Work that leaves the building or waits. One live job per (kind, subject); a claim is a lease.';

grant select, insert, update, delete on jobs to mizan_app;
grant select on jobs to mizan_reader, mizan_auditor;
