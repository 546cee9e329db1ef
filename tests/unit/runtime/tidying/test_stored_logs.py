"""Logs of tasks in a bucket: what is old goes, what may yet be needed stays, and what is no log is not looked at."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airfoil.runtime.tidying import stored_logs
from airfoil.runtime.tidying.history import RunId

pytestmark = pytest.mark.unit

OLD, BEFORE, NEW = 1_000.0, 2_000.0, 3_000.0
LONG = RunId("shop", "manual__2026-01-01T00:00:00+00:00")
FILES = {
    "dag_id=shop/run_id=1/task_id=train/attempt=1.log": OLD,
    "dag_id=shop/run_id=1/task_id=train/attempt=1.log.trigger.7.log": OLD,
    "dag_id=shop/run_id=1/task_id=score/map_index=3/attempt=2.log": NEW,
    f"dag_id={LONG.dag_id}/run_id={LONG.run_id}/task_id=train/attempt=1.log": OLD,
    "dag_id=other/run_id=1/task_id=train/attempt=1.log": NEW,
    "dag_id=notes of somebody.txt": OLD,
    "dag_id=shop/report of somebody/x.txt": OLD,
    "reports/2025.pdf": OLD,
}


class Store:
    """A bucket."""

    def __init__(self):
        self.files = dict(FILES)

    def items(self, prefix=""):
        for name, modified in self.files.items():
            if name.startswith(prefix):
                yield SimpleNamespace(name=name, bytes=5, modified=modified)

    def delete(self, name):
        del self.files[name]


def test_old_logs_go_and_all_else_stays():
    store = Store()
    assert stored_logs.clean(store, BEFORE, [LONG], dry_run=True) == {"log files": 2, "bytes": 10}
    assert store.files == FILES, "a dry run removes nothing"
    assert stored_logs.clean(store, BEFORE, [LONG], dry_run=False) == {"log files": 2, "bytes": 10}
    assert set(FILES) - set(store.files) == {name for name in FILES if "run_id=1/task_id=train/a" in name} - {
        "dag_id=other/run_id=1/task_id=train/attempt=1.log"
    }
    assert stored_logs.clean(store, BEFORE, [LONG], dry_run=False)["log files"] == 0


def test_logs_of_a_run_that_is_over_by_now_go():
    store = Store()
    assert stored_logs.clean(store, BEFORE, [], dry_run=False)["log files"] == 3
    assert not [name for name in store.files if LONG.run_id in name]
