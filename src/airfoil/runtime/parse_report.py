"""Parses DAG files as a DAG processor does and reports, as JSON, what only shows then.

Started by the stack with the files to parse; the report goes to a file, because what a DAG file prints is its own. Each
file is parsed in a fork of this process where that is safe, with network and databases closed, so that one file cannot
hide another's faults. Must not judge: what is an error is decided by who reads the report.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import logging
import os
import re
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from airfoil.runtime.own_time import own_seconds
from airfoil.runtime.parse_watch import ParseWatch

NEEDED = (
    "airflow.sdk",
    "airflow.dag_processing.dagbag",
    "airflow.providers.standard.operators.bash",
    "airflow.providers.standard.operators.python",
)
MOST_REPORT_BYTES = 1024 * 1024
_FRAME = re.compile(r'^\s*File "(?P<file>.+?)", line (?P<line>\d+)', re.MULTILINE)


def main() -> None:
    """Entry point: `--report FILE --timeout-seconds N --root ROOT FILE...`."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.parse_report", description=__doc__)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--root", action="append", default=[], help="folders of the user's own code")
    parser.add_argument("--timeout-seconds", type=float, default=30.0)
    parser.add_argument("--slow-seconds", type=float, default=1.0, help="parse again above this, to be sure")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    prepare()
    roots = tuple(arguments.root)
    found = []
    for file in arguments.files:
        if len(arguments.files) == 1 and not hasattr(os, "fork"):
            report = parse(file, roots)
        else:
            report = parse_apart(file, roots, arguments.timeout_seconds)
            if report.get("seconds", 0) > arguments.slow_seconds:
                again = parse_apart(file, roots, arguments.timeout_seconds)
                report = min(report, again, key=lambda one: one.get("seconds", arguments.timeout_seconds))
        found.append({"file": file, **report})
    arguments.report.write_text(json.dumps({"files": found}), encoding="utf-8")


def prepare() -> None:
    """Import what every DAG file needs, so that only its own imports are counted."""
    for module in NEEDED:
        importlib.import_module(module)
    logging.disable(logging.CRITICAL)


def parse_apart(file: str, roots: tuple[str, ...], timeout_seconds: float) -> dict[str, Any]:
    """Parse a file in a fork; a fork that does not end is killed, and its silence is the report."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with contextlib.suppress(BaseException):
            os.setsid()  # so that what the file starts goes with it
            _send(writing, parse(file, roots))
        os._exit(0)
    os.close(writing)
    content, in_time = _receive(reading, timeout_seconds)
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not in_time:
        return {"ended": f"did not end within {timeout_seconds:g} seconds"}
    try:
        return dict(json.loads(content))
    except ValueError:
        return {"ended": "ended the process that parsed it"}


def _send(pipe: int, report: dict[str, Any]) -> None:
    content = json.dumps(report).encode()
    while content:
        content = content[os.write(pipe, content) :]


def _receive(pipe: int, timeout_seconds: float) -> tuple[bytes, bool]:
    content = b""
    until = time.monotonic() + timeout_seconds
    while len(content) < MOST_REPORT_BYTES:
        if not select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            return content, False
        if not (data := os.read(pipe, 65536)):
            break
        content += data
    return content, True


def parse(file: str, roots: tuple[str, ...]) -> dict[str, Any]:
    """Parse one file here and now, under watch."""
    from airflow.dag_processing.dagbag import DagBag

    for folder in (str(Path(file).parent), *roots):
        if folder not in sys.path:
            sys.path.append(folder)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(nowhere))
        stack.enter_context(contextlib.redirect_stderr(nowhere))
        watch = stack.enter_context(ParseWatch(file, roots))
        began = own_seconds()
        bag = DagBag(dag_folder=os.devnull, collect_dags=False)
        bag.process_file(file, only_if_updated=False, safe_mode=False)
        seconds = own_seconds() - began
    errors = [_error(trace, file, roots) for trace in bag.import_errors.values()]
    return {
        "seconds": round(seconds, 3),
        "errors": errors,
        "dags": sorted(bag.dags),
        "asked": watch.asked,
        "slow": watch.slowest(),
    }


def _error(trace: str, file: str, roots: tuple[str, ...]) -> dict[str, Any]:
    """Reduce a traceback to its last line, and to the last place in it that is the user's."""
    places = [(match["file"], int(match["line"])) for match in _FRAME.finditer(trace)]
    mine = [
        place
        for place in places
        if place[0] == file or place[0].startswith(tuple(f"{r}{os.sep}" for r in roots))
    ]
    said = [line.strip() for line in trace.strip().splitlines() if line.strip()]
    at, line = mine[-1] if mine else (file, 0)
    in_file = [number for place, number in places if place == file]
    return {
        "message": said[-1][:500] if said else "",
        "file": at,
        "line": line,
        "line_in_file": in_file[-1] if in_file else 0,
    }


if __name__ == "__main__":
    main()
