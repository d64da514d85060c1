"""A receiver of webhooks with the standard's own library (PyPI standardwebhooks).

Reads a JSON list of {"secret": "whsec_...", "headers": {...}, "body": "..."} from standard input and prints the list
of verdicts, true or false.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def accepted(delivery):
    try:
        Webhook(delivery["secret"]).verify(delivery["body"], delivery["headers"], json_parse=False)
    except WebhookVerificationError:
        return False
    return True


print(json.dumps([accepted(delivery) for delivery in json.load(sys.stdin)]))
