"""Two tasks that ignore every polite request to end; only a file `ledger.jsonl.enough` lets them."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag, get_current_context, task

LEDGER = Path(__file__).parents[1] / "ledger.jsonl"
ENOUGH = LEDGER.with_name(LEDGER.name + ".enough")
SCRIPT = """
trap '' TERM INT HUP
printf '{"event": "start", "run": "%s", "task": "%s", "index": -1, "try": %s, "pid": %s, "at": %s}\\n' \
  "$AIRFLOW_CTX_DAG_RUN_ID" "$AIRFLOW_CTX_TASK_ID" "$AIRFLOW_CTX_TRY_NUMBER" "$$" "$EPOCHREALTIME" >> "$LEDGER"
while [ ! -e "$LEDGER.enough" ]; do sleep 0.5; done
"""


@dag(dag_id="stubborn", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def stubborn() -> None:
    """Neither ends by itself."""

    @task
    def deaf_body() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        instance = get_current_context()["ti"]
        line = {"event": "start", "run": instance.run_id, "task": instance.task_id, "index": -1}
        line |= {"try": instance.try_number, "pid": os.getpid(), "at": time.time()}
        with LEDGER.open("a") as ledger:
            ledger.write(json.dumps(line) + "\n")
        while not ENOUGH.exists():
            time.sleep(0.5)

    deaf_body()
    BashOperator(task_id="deaf_script", bash_command=SCRIPT, env={"LEDGER": str(LEDGER)})


stubborn()
