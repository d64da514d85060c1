create index statement_lines_unknown_debits_idx on statement_lines (amount_minor, end_to_end)
    where state = 'suspense' and amount_minor < 0;
