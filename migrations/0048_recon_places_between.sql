comment on column statements.place is 'Grows along the chain; one that came after the next has the place of the statement before it, and null before all others.';
