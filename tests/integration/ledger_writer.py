"""A process that moves an alias or registers a model, and is stopped or killed before one of its requests.

`python ledger_writer.py URI USER PASSWORD SIGNAL MOMENT move VERSION` or `... register SOURCE RUN_ID`; MOMENT is the
number of a request or a word in its path. Prints the version that came out.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from airfoil.clients.claims import Claims
from airfoil.clients.exchange import Request
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.registration import register
from airfoil.records import ModelRef

MODEL, ALIAS = "wine's", "champion"


class Interrupted(MlflowHttp):
    """Sends itself a signal before one request."""

    signal_name = ""
    moment = ""
    count = 0

    def _carry_out(self, step: Any) -> Any:
        if isinstance(step, Request):
            if self.moment in {str(self.count), step.path.rpartition("/")[2]}:
                self.moment = ""
                os.kill(os.getpid(), signal.Signals[self.signal_name])
            self.count += 1
        return super()._carry_out(step)


def main(uri: str, user: str, password: str, signal_name: str, moment: str, what: str, *rest: str) -> None:
    """Do what is asked."""
    http = Interrupted(MlflowServer(uri, username=user or None, password=password or None))
    http.signal_name, http.moment = signal_name, moment
    if what == "move":
        made = http.do(Ledger(Claims()).move(MODEL, ALIAS, int(rest[0]), who=f"process {os.getpid()}"))
        sys.stdout.write(f"{made.to_version}\n")
    else:
        source = ModelRef(name="wine", uri=rest[0], run_id=rest[1])
        sys.stdout.write(f"{http.do(register(Claims(), MODEL, source)).version}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
