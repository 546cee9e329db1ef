"""Has DAG files parsed in a process of its own, and reads its report into faults."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.errors import NeighbourError
from airfoil.lint.fault import Fault, fault
from airfoil.lint.parse_access import INTO_A_TASK, MENDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airfoil.stack.dag_checks.scope import Scope

MODULE = "airfoil.runtime.parse_report"
FILE_TIMEOUT_SECONDS = 30.0
START_SECONDS = 120.0
REACHES = {
    "connection": ("AF201", "A connection is read"),
    "variable": ("AF202", "A Variable is read"),
    "network": ("AF203", "The network is used"),
    "database": ("AF204", "A database is opened"),
    "process": ("AF205", "A process is started"),
    "file": ("AF208", "A file is written"),
}
_CYCLE = re.compile(
    r"AirflowDagCycleException: Cycle detected in D[Aa][Gg]: (?P<dag>\S+?)\.? Faulty task: (?P<task>\S+)"
)
_SCHEDULE = re.compile(
    r"AirflowTimetableInvalid|CroniterBad|CroniterError|ScheduleInterval|not a valid cron", re.IGNORECASE
)
_CATCHUP = "start_date is required when catchup=True"
_REFUSED = "NotWhileParsedError"
# Handed on: what finds programs and speaks the user's language. Not handed on: Airflow's own variables, which lead to
# real servers and their databases.
_AIRFLOW = re.compile(r"AIRFLOW(__|_HOME$|_CONFIG$)")


def environment(scope: Scope, home: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of the parse: an Airflow without a past, whose folders are the project's."""
    kept = {key: value for key, value in given.items() if not _AIRFLOW.match(key)}
    path = [*map(str, scope.sources), *filter(None, [kept.get("PYTHONPATH", "")])]
    return (
        kept
        | dict(scope.options)
        | {
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(scope.dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(scope.plugins or home / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "100",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__AIRFOIL__SOURCE_FOLDERS": os.pathsep.join(map(str, scope.sources)),
        }
    )


def parse_files(scope: Scope, files: Sequence[Path], given: Mapping[str, str]) -> list[dict[str, Any]]:
    """Parse files; the raw reports, in the order of the files."""
    if not files:
        return []
    # Forking a process that has imported much is not safe on macOS: there each file has a process of its own.
    batches = [list(files)] if sys.platform == "linux" else [[file] for file in files]
    return [report for batch in batches for report in _parse(scope, batch, given)]


def _parse(scope: Scope, files: Sequence[Path], given: Mapping[str, str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="airfoil-check-") as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", MODULE, "--report", str(report)]
        command += [
            "--timeout-seconds",
            str(FILE_TIMEOUT_SECONDS),
            "--slow-seconds",
            str(scope.wishes.parse_seconds),
        ]
        command += [argument for root in scope.roots for argument in ("--root", str(root))]
        try:
            done = subprocess.run(
                [*command, *map(str, files)],
                env=environment(scope, Path(folder), given),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=START_SECONDS + 2 * FILE_TIMEOUT_SECONDS * len(files),
            )
            return list(json.loads(report.read_text(encoding="utf-8"))["files"])
        except subprocess.TimeoutExpired:
            return [{"file": str(file), "ended": "did not end"} for file in files]
        except (OSError, ValueError, KeyError) as error:
            said = (
                done.stderr.decode(errors="replace").strip().splitlines()[-1:] if "done" in locals() else []
            )
            if len(files) == 1 and "done" in locals():
                return [{"file": str(files[0]), "ended": "ended the process that parsed it"}]
            raise NeighbourError(
                "DAG files could not be parsed: " + (said[0] if said else str(error)),
                "Look whether Airflow works here: `airfoil version`.",
                details=said,
            ) from error


def faults_of(
    report: Mapping[str, Any], name: str, lines: Mapping[str, int], scope: Scope
) -> Iterator[Fault]:
    """Turn the report of one file into faults. `lines` says where its DAGs and schedules stand."""
    if "ended" in report:
        mend = "Look for a loop, a wait or an exit at the top of the file."
        yield fault("AF005", name, 1, f"Parsing {report['ended']}.", mend)
        return
    for row in report["asked"]:
        code, what = REACHES[row["kind"]]
        mend = MENDS.get(code, INTO_A_TASK)
        yield fault(
            code, scope.name(Path(row["file"])), row["line"], f"{what} whenever the file is parsed.", mend
        )
    for row in report["errors"]:
        if not (_REFUSED in row["message"] and report["asked"]):
            yield _import_fault(row, name, lines, scope)
    if report["seconds"] > scope.wishes.parse_seconds:
        yield _slow_fault(report, name, scope)


def _import_fault(row: Mapping[str, Any], name: str, lines: Mapping[str, int], scope: Scope) -> Fault:
    message = row["message"]
    first = lines.get("", 1)
    if cycle := _CYCLE.search(message):
        said = f"In the DAG {cycle['dag']} the task {cycle['task']} waits for itself."
        mend = "Take an arrow away: a task can only wait for tasks that do not wait for it."
        return fault("AF302", name, lines.get(cycle["dag"], first), said, mend)
    if _SCHEDULE.search(message):
        said = f"Airflow cannot read this schedule: {message.partition(': ')[2].rstrip('.')}."
        mend = "Write five cron fields such as `0 2 * * *`, a preset such as `@daily`, or a timedelta."
        return fault("AF303", name, row["line_in_file"] or lines.get("schedule", first), said, mend)
    if _CATCHUP in message:
        said = "The DAG catches up, but has no start date to catch up from."
        return fault("AF304", name, row["line_in_file"] or first, said, "Add `start_date=`.")
    elsewhere = Path(row["file"])
    where = (
        ""
        if scope.name(elsewhere) == name or not row["line"]
        else f" (in {scope.name(elsewhere)}:{row['line']})"
    )
    mend = "Mend this line; the import fails there."
    missing = re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", message)
    if missing:
        mend = f"Correct the name, or install it: `airfoil add {missing[1].partition('.')[0]}`."
    return fault("AF003", name, row["line_in_file"] or first, f"{message.rstrip('.')}{where}.", mend)


def _slow_fault(report: Mapping[str, Any], name: str, scope: Scope) -> Fault:
    took, budget = report["seconds"], scope.wishes.parse_seconds
    message = f"Parsing takes {took:.1f} s, more than {budget:g} s"
    slow = report["slow"]
    if slow is None:
        mend = "Look for waits, large loops or data read at the top of the file."
        return fault("AF004", name, 1, f"{message}.", mend)
    place = scope.name(Path(slow["file"]))
    message = f"{message}: {slow['seconds']:.1f} s of it is the import of {slow['module']}."
    return fault("AF004", place, slow["line"], message, "Import it inside the task that uses it.")
