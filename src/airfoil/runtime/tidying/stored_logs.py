"""Logs of tasks in a bucket, where a server keeps them: those that have not grown for long go.

The bucket may be shared: only what is named as a task's log is looked at. Must not know where the bucket is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airfoil.clients.bucket import Bucket
    from airfoil.runtime.tidying.history import RunId

_DAG, _RUN = "dag_id=", "run_id="
_FEWEST_PARTS = 3  # a DAG, a run, and a file of it


def clean(bucket: Bucket, before: float, unfinished: Iterable[RunId], *, dry_run: bool) -> dict[str, int]:
    """Remove logs that have not grown since a moment (epoch seconds); those of unfinished runs stay."""
    kept = {(f"{_DAG}{run.dag_id}", f"{_RUN}{run.run_id}") for run in unfinished}
    count = freed = 0
    # All that lie there are named before the first goes: a listing need not bear changes under it.
    for item in list(bucket.items(_DAG)):
        parts = item.name.split("/")
        if len(parts) < _FEWEST_PARTS or not parts[1].startswith(_RUN) or (parts[0], parts[1]) in kept:
            continue
        if item.modified < before:
            count, freed = count + 1, freed + item.bytes
            if not dry_run:
                bucket.delete(item.name)
    return {"log files": count, "bytes": freed}
