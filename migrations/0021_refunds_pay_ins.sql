create table refund_pay_ins (
    id uuid constraint refund_pay_ins_pkey primary key,
    refund uuid not null,
    agency text not null,
    currency text not null,
    amount_minor bigint not null constraint refund_pay_ins_amount_check check (amount_minor > 0),
    statement_line bigint constraint refund_pay_ins_statement_line_key unique,
    suspense_item uuid,
    state text not null constraint refund_pay_ins_state_check check (state in ('proposed', 'refused', 'entered')),
    proposed_by text not null,
    decided_by text,
    note text,
    entry_id uuid not null,
    created_at timestamptz not null,
    decided_at timestamptz,
    constraint refund_pay_ins_source_check check (num_nonnulls(statement_line, suspense_item) = 1),
    constraint refund_pay_ins_decided_check check ((state = 'proposed') = (decided_at is null)),
    constraint refund_pay_ins_two_people_check check
        (suspense_item is null or state = 'proposed' or (decided_by is not null and decided_by <> proposed_by))
);
create index refund_pay_ins_refund_idx on refund_pay_ins (refund);
create unique index refund_pay_ins_proposed_key on refund_pay_ins (suspense_item) where state = 'proposed';
comment on table refund_pay_ins is 'What agencies paid in so that the hub can transfer a refund: by the reference on a bank line, or matched by two people.';
comment on column refund_pay_ins.statement_line is 'The line that named the refund''s reference for paying in.';
comment on column refund_pay_ins.suspense_item is 'Money that named nothing known, and that two people took for the agency''s.';

grant select, insert, update on refund_pay_ins to mizan_app;
grant select on refund_pay_ins to mizan_reader, mizan_auditor;
