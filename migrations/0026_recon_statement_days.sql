-- A statement of a day that has not come would stand before all that come until then.
alter table statements
    drop constraint statements_cause_check,
    add constraint statements_cause_check check (cause in
        ('unknown_account', 'no_day', 'future_day', 'no_balances', 'does_not_close', 'doubtful', 'altered', 'gap',
         'repeats'));
