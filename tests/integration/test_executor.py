"""The waking executor on the real LocalExecutor: real workers, a real result queue, a real SQLite file."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.integration

SCENE = """
import json, multiprocessing, os, sqlite3, sys, threading, time
multiprocessing.set_start_method("fork")
from airflow.utils.state import TaskInstanceState
from airfoil.runtime import executor as module

facts = {}
made = module.WakingLocalExecutor(parallelism=2)
made.start()
pids = list(made.workers)
facts["workers"] = len(pids)
time.sleep(0.1)

def later(action, seconds=0.3):
    threading.Timer(seconds, action).start()

def timed():
    began = time.monotonic()
    made.sync()
    return time.monotonic() - began

while timed() < 0.1:  # what the start itself wrote
    pass
key = ("dag", "task", "run", 1, -1)
made.running.add(key)
time.sleep(1.05 - time.time() % 1)  # just after a whole second, so that the boundary is far
later(lambda: made.result_queue.put((key, TaskInstanceState.SUCCESS, None)))
facts["result after"] = timed()
facts["events"] = [str(state) for state, _ in made.event_buffer.values()]
facts["running"] = len(made.running)

database = sqlite3.connect(sys.argv[1], check_same_thread=False)  # stays open: closing it writes once more

def write():
    database.execute("insert into log (dttm, event) values ('2026-01-01', 'x')")
    database.commit()

time.sleep(1.05 - time.time() % 1)
later(write)
facts["write after"] = timed()

time.sleep(1.05 - time.time() % 1)
facts["nothing"] = [timed() for _ in range(2)]

module.RETIRE_SECONDS = 0.1
for _ in range(3):
    made.sync()
facts["workers left"] = len(made.workers)
facts["alive"] = [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
made.end()
print(json.dumps(facts))
"""


def test_it_wakes_for_results_and_writes_and_sends_idle_workers_home(migrated_airflow, tmp_path):
    home = migrated_airflow.copied_to(tmp_path / "home")
    home.rows("pragma journal_mode = wal")
    facts = json.loads(home.python(SCENE.replace("sys.argv[1]", repr(str(home.database)))))
    assert facts["workers"] == 2
    assert 0.25 < facts["result after"] < 0.9
    assert (facts["events"], facts["running"]) == (["success"], 0)
    assert 0.25 < facts["write after"] < 0.9, "well before the second is over"
    assert facts["nothing"][0] < 1.5, "at the end of this second, of which little may be left"
    assert 0.9 < facts["nothing"][1] < 4, "and then at leisure"
    assert (facts["workers left"], facts["alive"]) == (0, [])


def test_what_it_leans_on_is_there(migrated_airflow):
    """`heartbeat` calls `sync` last, and LocalExecutor keeps its queues and workers under these names."""
    code = (
        "import inspect\n"
        "from airflow.executors.base_executor import BaseExecutor\n"
        "from airflow.executors.local_executor import LocalExecutor\n"
        "beat = inspect.getsource(BaseExecutor.heartbeat)\n"
        "assert beat.index('self.sync()') > beat.index('trigger_')\n"
        "names = {'activity_queue', 'result_queue', 'workers'}\n"
        "assert names <= set(LocalExecutor.__annotations__)\n"
        "print('as expected')"
    )
    assert migrated_airflow.python(code) == "as expected"
