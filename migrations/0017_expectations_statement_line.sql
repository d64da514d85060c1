create index expectations_statement_line_idx on expectations (statement_line) where statement_line is not null;
