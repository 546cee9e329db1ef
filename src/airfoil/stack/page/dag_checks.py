"""What the rules say about the project's DAG files, kept up to date while somebody looks.

The page looks at times and sizes of the files; only when they changed it starts the checker, a short process that
writes its result to a file. The page itself knows no rule and reads no Python file. Must not be called in the event
loop: a check takes a second.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from airfoil.stack.dag_checks import record
from airfoil.stack.page.facts import CheckFacts, checked_faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from airfoil.stack.project import Project

TIMEOUT_SECONDS = 60


def run_checker(project: Project) -> bool:
    """Check the text of the files once; False when that did not work."""
    command = [sys.executable, "-m", "airfoil.stack.dag_checks", "--project", str(project.root)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class DagChecks:
    """The last result, renewed when the files changed. Without `check` it only reads what others have found."""

    def __init__(self, project: Project, check: Callable[[Project], bool] | None = run_checker) -> None:
        self._project = project
        self._check = check
        self._seen = ""
        self._waiting = ""
        """Files are checked at the second look at them: the first answer is quick, and an edit is finished."""

    def look(self, last: CheckFacts, clean: Callable[[str], str]) -> CheckFacts:
        """Give what is known of the files as they are now."""
        found = record.load(self._project.run)
        folders = found.folders if found else (str(self._project.dags), str(self._project.root / "src"))
        mark = record.mark_of(folders)
        if mark == self._seen:
            return last  # nothing changed; what did not work for these files would not work now
        if found is None or found.mark != mark:
            if self._check is None:
                return CheckFacts()
            if mark != self._waiting:
                self._waiting = mark
                return last
            found = record.load(self._project.run) if self._check(self._project) else None
        if found is None:
            self._seen = mark
            return CheckFacts(error="The DAG files could not be checked; `airfoil check` says why.")
        self._seen = found.mark
        faults = checked_faults(found.faults, clean)
        return CheckFacts(files=found.files, errors=found.errors, warnings=found.warnings, faults=faults)
