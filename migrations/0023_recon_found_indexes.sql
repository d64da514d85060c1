create index settlements_statement_line_idx on settlements (statement_line) where statement_line is not null;
create index suspense_items_statement_line_idx on suspense_items (statement_line) where statement_line is not null;
