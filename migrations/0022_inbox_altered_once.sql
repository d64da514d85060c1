-- What is told otherwise than at first is kept once, however often it is told: two tellings are the same when their money
-- is, whatever the bytes around it.
create unique index notices_altered_key
    on notices (channel, transaction, status, meaning, reference, currency, amount_minor, original_transaction)
    nulls not distinct where state = 'altered';
