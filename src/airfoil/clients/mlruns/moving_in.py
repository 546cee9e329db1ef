"""A whole file store onto one server: parents before children, runs before models, aliases last.

It may be cut off at any moment; the next time goes on. What cannot be brought is told, and keeps nothing else back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airfoil.clients.mlruns import imported_models
from airfoil.clients.mlruns.imported_runs import RunImport
from airfoil.clients.run_info import PARENT_TAG
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from airfoil.clients.ledger import Ledger
    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.clients.mlruns.file_store import FileStore, StoredRun
    from airfoil.clients.run_info import RunInfo


@dataclass
class MovedIn:
    """What an import did."""

    runs: int = 0
    runs_there: int = 0
    """That an earlier import had brought."""
    versions: int = 0
    aliases: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def move_in(
    http: MlflowHttp,
    ledger: Ledger,
    store: FileStore,
    *,
    who: str,
    only_runs: bool = False,
    progress: Callable[[int, str], None] = lambda _count, _name: None,
) -> MovedIn:
    """Bring everything; `progress` hears how many runs are through, and the experiment of the last one."""
    done = MovedIn()
    models = [] if only_runs else store.models()
    for stored in models:
        http.do(imported_models.refuse_taken(stored))
    runs = _bring_runs(http, store, done, progress)
    for stored in models:
        brought = http.do(imported_models.bring(stored, runs.get, done.notes.append))
        done.versions += len(brought.there)
        for standing in imported_models.standings(stored, brought):
            http.do(imported_models.point(ledger, stored, standing, who=who))
            done.aliases.append(f"{stored.name}@{standing.alias} is version {standing.number}")
    done.notes += store.damaged
    return done


def _bring_runs(
    http: MlflowHttp, store: FileStore, done: MovedIn, progress: Callable[[int, str], None]
) -> dict[str, RunInfo]:
    bringing = RunImport(http)
    logged = list(store.logged_models().values())
    found: dict[str, RunInfo] = {}
    for run, parent in in_order(list(store.runs())):
        try:
            models = [one for one in logged if one.run_id == run.id]
            brought = bringing.bring(run, models, found[parent].id if parent in found else "")
        except (OSError, ValueError, ConfigurationError) as error:
            done.notes.append(
                f"Run {run.id} of {run.experiment} is left out: {' '.join(str(error).split())[:300]}"
            )
            continue
        found[run.id] = brought.info
        done.runs += brought.is_new
        done.runs_there += not brought.is_new
        progress(len(found), run.experiment)
    return found


def in_order(runs: list[StoredRun]) -> Iterator[tuple[StoredRun, str]]:
    """Give runs with the old id of their parent, the parent first wherever it is there; a circle is cut."""
    parents = {run.id: _parent(run) for run in runs}
    given: set[str] = set()
    by_id = {run.id: run for run in runs}
    for run in runs:
        chain = []
        current: str = run.id
        while current in by_id and current not in given and current not in chain:
            chain.append(current)
            current = parents[current]
        for one in reversed(chain):
            given.add(one)
            yield by_id[one], parents[one]


def _parent(run: StoredRun) -> str:
    try:
        return run.tags().get(PARENT_TAG, "")
    except (OSError, ValueError):
        return ""  # what is damaged is told when the run is brought
