create index suspense_items_break_subject_idx on suspense_items (break_subject);
