-- What the day's proof looks for among rows that only grow.

create index notices_part_idx on notices (intent) where outcome = 'part';
create index expectations_met_idx on expectations (met_at) where state <> 'open';
