"""Tell, in few requests, which of many ledgers have grown, and which aliases point elsewhere than they say.

A poll that finds nothing must be cheap: it asks for ledgers that hold the entry after the last known one, and reads
none. Must not decide what an outside move means; `ledger` does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from airfoil.clients.claims import EXPERIMENT, Claims
from airfoil.clients.exchange import API, Exchange, get, post
from airfoil.clients.history import entry_cell
from airfoil.clients.ledger import ANCHOR
from airfoil.clients.model_registry import model

Pair: TypeAlias = tuple[str, str]
"""A model and an alias."""
_RUNS_PER_SEARCH = 100


class LedgerWatch:
    """Looks at the ledgers of one server."""

    def __init__(self, claims: Claims) -> None:
        """Know no ledger yet."""
        self._claims = claims
        self._experiment = ""

    def grown(self, known: Mapping[Pair, int]) -> Exchange[set[Pair]]:
        """Return the ledgers that hold more entries than the given numbers."""
        by_length: dict[int, dict[str, Pair]] = defaultdict(dict)
        for pair, number in known.items():
            run_id = yield from self._claims.find(f"{ANCHOR}{pair[0]}/{pair[1]}")
            if run_id:
                by_length[number][run_id] = pair
        found: set[Pair] = set()
        for number, pairs in by_length.items():
            ids = list(pairs)
            for start in range(0, len(ids), _RUNS_PER_SEARCH):
                some = ids[start : start + _RUNS_PER_SEARCH]
                longer = yield from self._holding(entry_cell(number + 1), some)
                found |= {pairs[run_id] for run_id in longer if run_id in pairs}
        return found

    def _holding(self, key: str, run_ids: list[str]) -> Exchange[list[str]]:
        if not self._experiment:
            answer = yield from get(f"{API}/experiments/get-by-name", experiment_name=EXPERIMENT)
            self._experiment = str(answer["experiment"]["experiment_id"])
        listed = ", ".join(f"'{run_id}'" for run_id in run_ids)
        query = {
            "experiment_ids": [self._experiment],
            "filter": f"attributes.run_id IN ({listed}) AND params.`{key}` LIKE '%'",
            "max_results": _RUNS_PER_SEARCH,
        }
        answer = yield from post(f"{API}/runs/search", query)
        return [str(run["info"]["run_id"]) for run in answer.get("runs", [])]


def versions_by_alias(names: Iterable[str]) -> Exchange[dict[Pair, int]]:
    """Return the version of every alias of these models; a model that is not there has none."""
    found: dict[Pair, int] = {}
    for name in names:
        registered = yield from model(name)
        for alias, version in (registered.aliases if registered else {}).items():
            found[name, alias] = version
    return found
