-- Tests take turns by endpoint, as events do; what still waited for a deleted endpoint has ended.

drop index webhook_deliveries_tests_idx;
create index webhook_deliveries_tests_idx on webhook_deliveries (endpoint, next_at)
    where state = 'waiting' and test is not null;

update webhook_deliveries d set state = 'failed', error = 'the endpoint was deleted', lease_until = null
from webhook_endpoints e where e.id = d.endpoint and e.state = 'deleted' and d.state = 'waiting';
