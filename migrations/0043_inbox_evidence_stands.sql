-- What came from outside, and what was asked, signed or sent, stands as it was written: the hub's own role changes where it
-- stands in the work, and nothing that it says.
revoke update on notices, statement_files, statements, statement_lines, settlements, settlement_items, payment_files,
    quotes, receipts, refunds, refund_attempts, suspense_items from mizan_app;
grant update (state, outcome, intent, applied_at) on notices to mizan_app;
grant update (state, cause, reason, covers_from, accepted_at, place) on statements to mizan_app;
grant update (state, rule, reason, money_key) on statement_lines to mizan_app;
grant update (state, statement_line, matched_at) on settlements to mizan_app;
grant update (state, bank_file, sent_at, answer) on payment_files to mizan_app;
grant update (state, credited_minor) on receipts to mizan_app;
grant update (state, version, rail, channel, original_transaction, payee, requested_by, decided_by, decision_note,
    instruction, provider_transaction, payment_file, approved_entry_id, ended_entry_id, decided_at, submitted_at,
    succeeded_at, failure, proposed_by, proposed_note) on refunds to mizan_app;
grant update (state, answer, started_at, ended_at, returned_entry_id) on refund_attempts to mizan_app;
grant update (used_minor) on suspense_items to mizan_app;
