-- Test and live never share a database.
create table deployment (
    one boolean constraint deployment_pkey primary key default true constraint deployment_one_check check (one),
    mode text not null constraint deployment_mode_check check (mode in ('test', 'live')),
    first_started_at timestamptz not null
);
comment on table deployment is 'One row, written when a hub first starts here and never changed: which mode this database is of.';

grant select, insert on deployment to mizan_app;
grant select on deployment to mizan_reader, mizan_auditor;
