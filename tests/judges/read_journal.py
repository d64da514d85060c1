"""Reads a beancount journal and prints what each account holds, counted by beancount itself.

In:  {"file": "..."}
Out: {"errors": ["..."], "balances": {"Liabilities:Agency:Psi:Payable JOD": "-12.500", ...}}
"""

import json
import sys

from beancount import loader
from beancount.core import data, realization

order = json.load(sys.stdin)
entries, errors, _ = loader.load_file(order["file"])
balances = {}
for account in realization.iter_children(realization.realize(entries), leaf_only=False):
    for position in account.balance:
        balances[f"{account.account} {position.units.currency}"] = str(position.units.number)
transactions = sum(isinstance(entry, data.Transaction) for entry in entries)
print(json.dumps({"errors": [str(error.message) for error in errors], "balances": balances, "transactions": transactions}))
