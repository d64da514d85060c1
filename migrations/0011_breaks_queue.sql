create table breaks (
    id uuid constraint breaks_pkey primary key,
    category text not null,
    subject text not null,
    state text not null constraint breaks_state_check check (state in
        ('open', 'assigned', 'proposed', 'approved', 'resolved', 'self_resolved', 'reopened', 'superseded')),
    currency text,
    amount_minor bigint,
    channel text,
    intent uuid,
    detail jsonb not null,
    owner text not null,
    assigned_to text,
    opened_at timestamptz not null,
    due_at timestamptz not null,
    proposed_by text,
    approved_by text,
    resolved_at timestamptz,
    resolution text,
    constraint breaks_subject_key unique (category, subject),
    constraint breaks_two_people_check check (approved_by is null or approved_by <> proposed_by)
);
create index breaks_open_idx on breaks (category, opened_at) where state in ('open', 'assigned', 'proposed', 'reopened');
comment on table breaks is 'One queue of what does not tie: one row per category and subject, whatever reruns.';

grant select, insert, update on breaks to mizan_app;
grant select on breaks to mizan_reader, mizan_auditor;
