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
    last bigint not null,
    pruned bigint not null default 0,
    constraint feeds_pruned_check check (pruned between 0 and last)
);
comment on table feeds is 'The last position of each portal''s feed, and up to which position events are no longer kept.';

create table webhook_endpoints (
    id uuid constraint webhook_endpoints_pkey primary key,
    portal uuid not null,
    url text not null,
    types text[] not null,
    secrets_sealed bytea[] not null,
    state text not null constraint webhook_endpoints_state_check check (state in ('enabled', 'disabled', 'deleted')),
    disabled_reason text constraint webhook_endpoints_disabled_reason_check check (disabled_reason in ('asked', 'failing')),
    created_at timestamptz not null,
    failing_since timestamptz,
    paused_until timestamptz,
    constraint webhook_endpoints_secrets_check check (
        cardinality(secrets_sealed) between 1 and 2 or (state = 'deleted' and cardinality(secrets_sealed) = 0)),
    constraint webhook_endpoints_reason_check check ((state = 'disabled') = (disabled_reason is not null))
);
create index webhook_endpoints_portal_idx on webhook_endpoints (portal) where state <> 'deleted';
create index webhook_endpoints_enabled_idx on webhook_endpoints (id) where state = 'enabled';
comment on table webhook_endpoints is 'Where a portal hears its events; at most two secrets, newest first, sealed with the hub''s master key. No types means all of them.';

create table webhook_deliveries (
    id uuid constraint webhook_deliveries_pkey primary key,
    endpoint uuid not null constraint webhook_deliveries_endpoint_fk references webhook_endpoints,
    event_n bigint,
    test uuid,
    state text not null constraint webhook_deliveries_state_check check (state in ('waiting', 'delivered', 'failed')),
    attempt int not null default 0,
    queued_at timestamptz not null,
    next_at timestamptz not null,
    lease_until timestamptz,
    tried_at timestamptz,
    status smallint,
    answer text,
    error text,
    constraint webhook_deliveries_event_key unique (endpoint, event_n),
    constraint webhook_deliveries_subject_check check (num_nonnulls(event_n, test) = 1)
);
create index webhook_deliveries_due_idx on webhook_deliveries (endpoint, next_at, id) where state = 'waiting';
create index webhook_deliveries_tests_idx on webhook_deliveries (next_at) where state = 'waiting' and test is not null;
create index webhook_deliveries_leased_idx on webhook_deliveries (endpoint, lease_until) where lease_until is not null;
create index webhook_deliveries_page_idx on webhook_deliveries (endpoint, id);
create index webhook_deliveries_event_idx on webhook_deliveries (event_n);
comment on table webhook_deliveries is 'One event, or one test, on its way to one endpoint: what was answered last, and when it is tried next.';

grant select, insert, update, delete on events, webhook_deliveries to mizan_app;
grant select, insert, update on feeds, webhook_endpoints to mizan_app;
grant select on events, feeds, webhook_deliveries to mizan_reader, mizan_auditor;
