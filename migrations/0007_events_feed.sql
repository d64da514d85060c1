create table events (
    n bigint generated always as identity (cache 1) constraint events_pkey primary key,
    id uuid not null,
    portal uuid not null,
    type text not null,
    object text not null,
    object_version int not null,
    body jsonb not null,
    created_at timestamptz not null,
    position bigint,
    constraint events_position_key unique (portal, position)
);
create index events_unpublished_idx on events (n) where position is null;
comment on table events is 'Past-tense facts, written in the transaction that made them true; the publisher gives each a dense position in its portal''s feed.';

create table feeds (
    portal uuid constraint feeds_pkey primary key,
    last bigint not null
);
comment on table feeds is 'The last position of each portal''s feed.';

create table webhook_endpoints (
    id uuid constraint webhook_endpoints_pkey primary key,
    portal uuid not null,
    url text not null,
    types text[] not null,
    secrets_sealed bytea[] not null,
    state text not null constraint webhook_endpoints_state_check check (state in ('enabled', 'disabled')),
    disabled_reason text,
    created_at timestamptz not null,
    failing_since timestamptz
);
create index webhook_endpoints_portal_idx on webhook_endpoints (portal);
comment on table webhook_endpoints is 'Where a portal hears its events; at most two secrets, sealed with the hub''s master key.';

create table webhook_deliveries (
    id bigint generated always as identity constraint webhook_deliveries_pkey primary key,
    endpoint uuid not null,
    event_n bigint not null,
    state text not null constraint webhook_deliveries_state_check check (state in ('waiting', 'delivered', 'failed')),
    attempt int not null default 0,
    next_at timestamptz not null,
    lease_until timestamptz,
    status smallint,
    answer text,
    delivered_at timestamptz,
    constraint webhook_deliveries_event_key unique (endpoint, event_n)
);
create index webhook_deliveries_due_idx on webhook_deliveries (next_at) where state = 'waiting';
comment on table webhook_deliveries is 'One event on its way to one endpoint.';

grant select, insert, update on events, feeds to mizan_app;
grant select, insert, update, delete on webhook_endpoints, webhook_deliveries to mizan_app;
grant select on events, feeds, webhook_deliveries to mizan_reader, mizan_auditor;
