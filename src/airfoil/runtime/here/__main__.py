"""Entry point of `airfoil run DAG --here`: starts the helper, then the session, and ends with its exit code."""

from __future__ import annotations

import argparse
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import BinaryIO

from airfoil.runtime.here.channel import HelperFailedError, HelperGoneError, Questions, Refusal
from airfoil.runtime.here.dag_file import DoesNotImportError
from airfoil.runtime.here.session import FAILURE, INTERRUPTED, Order, Session, say

LAST_LINES = 12
# What tasks log is shown as they log it; of the machinery around them only what goes wrong.
LOGGING = {
    "AIRFLOW__LOGGING__LOG_FORMAT": "%(levelname)s %(message)s",
    "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
    "AIRFLOW__LOGGING__NAMESPACE_LEVELS": (
        "airflow=warning airflow.task=info airflow.sdk.api=critical task=critical "
        "httpx=warning httpcore=warning alembic=warning"
    ),
}


def read_order(arguments: list[str]) -> tuple[Order, Path]:
    """Parse what the command line handed over, and where private files may lie."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.here", description=__doc__)
    for name in ("dag", "folder", "private"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--conf", default="{}")
    parser.add_argument("--date", default="")
    parser.add_argument("--task", default="")
    parser.add_argument("--map-index", type=int, default=None)
    parser.add_argument("--pdb", action="store_true")
    found = parser.parse_args(arguments)
    order = Order(
        found.dag,
        Path(found.folder),
        json.loads(found.conf),
        found.date,
        found.task,
        found.map_index,
        found.pdb,
    )
    return order, Path(found.private)


def start_helper(private: Path) -> tuple[Questions, BinaryIO]:
    """Start the helper, which gets ready while this process does; the channel to it, and what it logs."""
    folder = tempfile.mkdtemp(prefix="here-", dir=private)
    log = tempfile.TemporaryFile()  # noqa: SIM115 - it has no name, and is gone with the last of us
    mine, its = socket.socketpair()
    subprocess.Popen(
        [sys.executable, "-m", "airfoil.runtime.here.server", folder, str(its.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=[its.fileno()],
        # Ctrl-C and a closed terminal are for us; it goes when we go.
        start_new_session=True,
    )
    its.close()
    return Questions(mine.detach()), log


def main() -> int:
    """Run; the exit code."""
    order, private = read_order(sys.argv[1:])
    questions, log = start_helper(private)
    os.environ.update(LOGGING)
    gc.disable()  # imports leave nothing to collect, and are quicker undisturbed
    try:
        import airflow.sdk.execution_time.task_runner  # noqa: F401 - all that a task process has loaded

        gc.freeze()
        gc.enable()
        # How Airflow's own modules use each other is nobody's concern here.
        warnings.filterwarnings("ignore", module=r"airflow\.")
        return Session(order, questions, say).run()
    except Refusal as refusal:
        print(f"Error: {refusal}", file=sys.stderr)
    except DoesNotImportError as error:
        print(f"{str(error).rstrip()}\nError: The DAG file does not import.", file=sys.stderr)
    except (HelperGoneError, HelperFailedError) as error:
        log.seek(0)
        lines = log.read().decode(errors="replace").splitlines()[-LAST_LINES:]
        reason = str(error) or "it ended"
        print("\n".join([*lines, f"Error: The helper of --here failed: {reason}."]), file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    finally:
        questions.close()
    return FAILURE


if __name__ == "__main__":
    sys.exit(main())
