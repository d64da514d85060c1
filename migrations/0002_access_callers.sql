-- Who may call: portals and staff, their keys, console sessions; what is remembered of a call.

create table portals (
    id uuid constraint portals_pkey primary key,
    code text not null constraint portals_code_key unique,
    name_ar text not null,
    name_en text not null,
    return_url_prefixes text[] not null default '{}',
    created_at timestamptz not null,
    disabled_at timestamptz
);
comment on table portals is 'Systems that start payments: ministries'' and national portals.';

create table people (
    id uuid constraint people_pkey primary key,
    login text not null constraint people_login_key unique,
    name_ar text not null,
    name_en text not null,
    roles text[] not null,
    password_hash text,
    created_at timestamptz not null,
    disabled_at timestamptz
);
comment on table people is 'Staff: finance officers, clerks, auditors. Roles of docs/FINANCE.md; two people means two rows here.';

create table keys (
    key_id text constraint keys_pkey primary key,
    portal uuid constraint keys_portal_fk references portals,
    person uuid constraint keys_person_fk references people,
    algorithm text not null constraint keys_algorithm_check check (algorithm in ('hmac-sha256', 'ed25519')),
    secret_sealed bytea,
    public_key bytea,
    scopes text[] not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    constraint keys_owner_check check (num_nonnulls(portal, person) = 1),
    constraint keys_material_check check (
        (algorithm = 'hmac-sha256' and secret_sealed is not null and public_key is null)
        or (algorithm = 'ed25519' and public_key is not null and secret_sealed is null))
);
create index keys_portal_idx on keys (portal) where revoked_at is null;
comment on table keys is 'Keys that sign requests. A shared secret is sealed with the hub''s master key; of a key pair only the public half is here.';

create table keys_head (
    singleton boolean constraint keys_head_pkey primary key default true constraint keys_head_singleton_check check (singleton),
    version bigint not null
);
insert into keys_head (version) values (1);
comment on table keys_head is 'Counts every change of keys, portals and people: whoever caches them compares it in the same transaction.';

create function keys_head_move() returns trigger language plpgsql as $$
begin
    update keys_head set version = version + 1;
    return null;
end $$;
create trigger keys_head_move after insert or update or delete on keys for each statement execute function keys_head_move();
create trigger keys_head_move after insert or update or delete on portals for each statement execute function keys_head_move();
create trigger keys_head_move after insert or update or delete on people for each statement execute function keys_head_move();

create table console_sessions (
    id text constraint console_sessions_pkey primary key,
    person uuid not null constraint console_sessions_person_fk references people,
    csrf text not null,
    language text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
comment on table console_sessions is 'Logged-in officers of the console; the id is the SHA-256 of the cookie.';

create table idempotency (
    caller text not null,
    key text not null,
    fingerprint bytea not null,
    status smallint not null,
    body bytea not null,
    created_at timestamptz not null,
    constraint idempotency_pkey primary key (caller, key)
);
comment on table idempotency is 'The first answer to each writing request, kept so that the same request gets the same answer.';

create table audit (
    n bigint generated always as identity constraint audit_pkey primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    object text not null,
    detail jsonb not null
);
create index audit_object_idx on audit (object, n);
comment on table audit is 'Who did what to which object, when, from what to what. Append only.';

grant select, insert, update on portals, people, keys, keys_head to mizan_app;
grant select, insert, update, delete on console_sessions, idempotency to mizan_app;
grant select, insert on audit to mizan_app;
grant select on portals, people, keys_head, idempotency, audit to mizan_reader, mizan_auditor;
