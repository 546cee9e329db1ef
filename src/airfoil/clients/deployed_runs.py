"""Which runs have made the models that count: an alias points to them, or would after a rollback.

What these runs have learned from must not be tidied away. Must not move an alias.
"""

from __future__ import annotations

from contextlib import suppress

from airfoil.clients.exchange import Exchange
from airfoil.clients.ledger import Ledger
from airfoil.clients.model_registry import models, version
from airfoil.errors import NotFoundError


def deployed_runs(ledger: Ledger) -> Exchange[frozenset[str]]:
    """Return the runs of all models of the server, by id."""
    wanted = {(one.name, number) for one in (yield from models()) for number in one.aliases.values()}
    for name, alias in (yield from ledger.ledgers()):
        with suppress(NotFoundError):  # there is nothing to go back to
            wanted.add((name, (yield from ledger.earlier_version(name, alias))))
    found = set()
    for name, number in sorted(wanted):
        made = yield from version(name, number)
        found.add(made.run_id if made else None)
    return frozenset(run_id for run_id in found if run_id)
