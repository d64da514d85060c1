-- Lists of a past day are made with the agencies as they were: above all with who held their money then.
create table agency_documents (
    agency text not null,
    since timestamptz not null,
    document jsonb not null,
    constraint agency_documents_pkey primary key (agency, since)
);
comment on table agency_documents is 'Every agency as it was from an instant on, until the next row of it.';
insert into agency_documents (agency, since, document) select code, '-infinity', document from agencies;
grant select, insert, update on agency_documents to mizan_app;
grant select on agency_documents to mizan_reader, mizan_auditor;
