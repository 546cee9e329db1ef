"""`python -m airfoil.stack.server_page`: serve the status page of a server until a signal comes."""

from __future__ import annotations

import argparse
import os
import sys

from airfoil.stack.server_page import watched
from airfoil.stack.server_page.app import ServerPage
from airfoil.stack.server_page.machine import MachineCollector
from airfoil.stack.server_page.rounds import Rounds

SERVICES_VARIABLE = "AIRFOIL_STATUS_SERVICES"
"""Names of services with commas between them, when some are left out or are somewhere else."""
HOSTS_VARIABLE = "AIRFOIL_STATUS_HOSTS"
"""Names by which people and Prometheus call this server."""
OWN_NAMES = ("status",)


def main() -> None:
    """Entry point: `[--host H] [--port P] [--prefix /status]`; the rest is in variables, here and of `machine`."""
    parser = argparse.ArgumentParser(prog="airfoil.stack.server_page", description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 - a container's own network
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--prefix", default="/status")
    options = parser.parse_args()
    names = os.environ.get(SERVICES_VARIABLE, "")
    if strangers := watched.unknown(names):
        print(f"{SERVICES_VARIABLE} names what is not known: {', '.join(strangers)}", file=sys.stderr)  # noqa: T201 - this process's log
    called = [name.strip() for name in os.environ.get(HOSTS_VARIABLE, "").split(",") if name.strip()]
    import uvicorn

    from airfoil.stack.page.server import config

    rounds = Rounds(watched.chosen(names))
    machine = MachineCollector.of(os.environ)
    page = ServerPage(rounds, (*OWN_NAMES, *called), prefix=options.prefix, collectors=[machine])
    try:
        uvicorn.Server(config(page.app, options.host, options.port)).run()
    finally:
        rounds.close()


if __name__ == "__main__":
    main()
