"""A process that opens the run of a task, and is killed (-9) after one of its requests.

`python run_claimant.py URI DAG_ID MOMENT`; MOMENT is the word at the end of the request's path ("create",
"log-parameter", ...), or "never". Prints the ids of parent and child.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from airfoil.clients.exchange import Request
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_keys import RunKey
from airfoil.clients.tracking import Tracking


class Mortal(MlflowHttp):
    """Dies after a request was carried out."""

    moment = "never"

    def _carry_out(self, step: Any) -> Any:
        answer = super()._carry_out(step)
        if isinstance(step, Request) and step.path.rpartition("/")[2] == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def open_task(uri: str, dag_id: str, moment: str) -> str:
    """Open the one task of a DAG run, whose parent is there already."""
    http = Mortal(MlflowServer(uri, timeout_seconds=60))
    with Tracking(http) as tracking:
        parent = tracking.open_dag_run(RunKey(dag_id, "run"), experiment="deaths")
        http.moment = moment
        run = tracking.open_task(RunKey(dag_id, "run", "train"), experiment="deaths")
        return f"{parent.id} {run.id}"


if __name__ == "__main__":
    print(open_task(*sys.argv[1:4]))
