create index suspense_items_money_key_idx on suspense_items (money_key);
