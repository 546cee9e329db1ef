"""Airflow's DAG processor, told of changed files by the kernel instead of looking for them.

Airflow looks for new files every few minutes, notices an edited one at its next round, and runs a round of database
queries every second. This one sleeps until a file of the DAG folder or of the user's package changes, a parse ends, or
the database is written, and asks for what is due at once. Parsing, storing and everything else stay Airflow's; what is
overridden are the methods that it offers for it, and `unsupported` names what else is leaned on.
"""

from __future__ import annotations

import os
import select
import selectors
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.dag_processing.manager import DagFileInfo, DagFileProcessorManager
from airflow.jobs.dag_processor_job_runner import DagProcessorJobRunner
from airflow.jobs.job import Job, run_job
from airflow.utils.file import might_contain_dag
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

from airfoil.runtime import file_events
from airfoil.runtime.bytecode import keep_none_of_young_files
from airfoil.runtime.database_watch import DatabaseWatch
from airfoil.runtime.user_modules import forget_before_forks

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_SECONDS = 5.0
"""Longest sleep when nothing happens; the heartbeat is due every ten."""
SETTLE_SECONDS = 0.05
"""An editor writes a file in several steps; this long nothing may come before it counts as written ..."""
MOST_SETTLE_SECONDS = 0.5
"""... but nobody writes for ever."""
FULL_LOOK_SECONDS = 300.0
"""The folder is searched anyway now and then."""
_LEANED_ON = ("_dag_bundles", "_file_stats", "_processors", "_force_refresh_bundles", "selector")
_OVERRIDDEN = ("prepare_process_context", "prepare_bundles", "claim_priority_files", "should_skip_refresh")
_IGNORED_ENDINGS = (".pyc", ".swp", ".swx", ".tmp", "~")


def unsupported() -> str:
    """What the installed Airflow lacks, or nothing."""
    fields = {field.name for field in getattr(DagFileProcessorManager, "__attrs_attrs__", ())}
    lacking = [name for name in _LEANED_ON if name not in fields]
    lacking += [name for name in _OVERRIDDEN if not callable(getattr(DagFileProcessorManager, name, None))]
    return ", ".join(lacking)


@providers_configuration_loaded
def run() -> None:
    """Run the job as `airflow dag-processor` does, until told to stop."""
    runner = DagProcessorJobRunner(job=Job(), processor=WatchingManager(max_runs=-1))
    run_job(job=runner.job, execute_callable=runner._execute)  # noqa: SLF001 - as the command line does


class WatchingManager(DagFileProcessorManager):
    """Parses what changed as soon as it has."""

    _files: file_events.FileEvents | None = None
    _watched: set[Path]
    _changed: set[DagFileInfo]

    def prepare_process_context(self) -> None:
        """Set up as Airflow does, with a selector that has more patience."""
        super().prepare_process_context()
        keep_none_of_young_files()
        forget_before_forks(conf.get("airfoil", "source_folders", fallback=""))
        self.selector.close()
        self.selector = PatientSelector(self._is_idle)

    def prepare_bundles(self) -> None:
        """Load the bundles and watch their folders, and those of the user's own modules."""
        super().prepare_bundles()
        self._changed = set()
        self._watched = set()
        self._files = file_events.watch(())
        if self._files is None:
            return
        self.selector.register(self._files, selectors.EVENT_READ, (self._note_changes, lambda _: None))
        sources = conf.get("airfoil", "source_folders", fallback="")
        modules = [Path(folder) for folder in sources.split(os.pathsep) if folder]
        for folder in (*(bundle.path for bundle in self._dag_bundles), *modules):
            self._watch(folder)

    def claim_priority_files(self) -> list[DagFileInfo]:
        """Give the files that somebody asked for, and those that changed and are not being parsed just now."""
        due = {file for file in self._changed if file not in self._processors}
        self._changed -= due
        return [*super().claim_priority_files(), *due]

    def should_skip_refresh(self, *, bundle: Any, elapsed_time_since_refresh: float, **more: Any) -> bool:
        """Search a watched folder only when something changed in it."""
        if (
            self._files is not None
            and more.get("previously_seen")
            and bundle.name not in self._force_refresh_bundles
            and bundle.path in self._watched
            and elapsed_time_since_refresh < FULL_LOOK_SECONDS
        ):
            return True
        return bool(
            super().should_skip_refresh(
                bundle=bundle, elapsed_time_since_refresh=elapsed_time_since_refresh, **more
            )
        )

    def _is_idle(self) -> bool:
        return self._files is not None and not self._processors and not self._changed

    def _watch(self, folder: Path) -> None:
        """Watch a folder and all below it; links that lead in a circle are followed once."""
        assert self._files is not None  # noqa: S101 - the caller made it
        for here, below, _ in os.walk(folder, followlinks=True):
            fresh = [name for name in below if _counts(name)]
            below[:] = [name for name in fresh if Path(here, name).resolve() not in self._watched]
            if self._files.add(Path(here)):
                self._watched |= {Path(here), Path(here).resolve()}

    def _note_changes(self, _source: object) -> bool:
        """Read what happened, until nothing more comes; True keeps the watch."""
        changed = {path for path in self._settled() if _counts(path.name)}
        if changed:
            self._changed |= self._affected(changed)
            self.request_bundle_refresh(bundle.name for bundle in self._dag_bundles)
        for path in changed:
            if path.is_dir():
                self._watch(path)
        return True

    def _settled(self) -> set[Path]:
        assert self._files is not None  # noqa: S101 - only a watch calls this
        found = news = self._files.read()
        until = time.monotonic() + MOST_SETTLE_SECONDS
        while news and time.monotonic() < until:
            time.sleep(SETTLE_SECONDS)
            news = self._files.read()
            found |= news
        return found

    def _affected(self, changed: set[Path]) -> set[DagFileInfo]:
        """The DAG files to parse again: the changed ones; all, when a module or file changed that they may read."""
        parsed = {file.presence_key: file for file in (*self._processors, *self._file_stats)}
        found = set()
        for path in changed:
            inside = [bundle for bundle in self._dag_bundles if path.is_relative_to(bundle.path)]
            keys = {(bundle.name, path.relative_to(bundle.path)) for bundle in inside} & parsed.keys()
            if not keys and path.is_file() and not (inside and might_contain_dag(str(path), safe_mode=True)):
                keys = set(parsed)
            found |= {parsed[key] for key in keys}
        return found


def _counts(name: str) -> bool:
    """Tell whether a file or folder of this name can be part of a DAG."""
    if name == ".airflowignore":
        return True
    return not name.startswith((".", "#")) and not name.endswith(_IGNORED_ENDINGS) and name != "__pycache__"


class PatientSelector(selectors.DefaultSelector):
    """Waits beyond the second that it is given, as long as there is nothing to do and nobody writes to the database."""

    def __init__(self, is_idle: Callable[[], bool]) -> None:
        super().__init__()
        self._is_idle = is_idle
        self._writes = DatabaseWatch(conf.get("database", "sql_alchemy_conn")).events()
        self._poll = select.poll()
        self._poll.register(self.fileno(), select.POLLIN)
        if self._writes is not None:
            self._poll.register(self._writes, select.POLLIN)

    def select(self, timeout: float | None = None) -> Any:
        """Give what is ready, as any selector."""
        found = super().select(timeout)
        if found or not timeout or self._writes is None or not self._is_idle():
            return found
        self._poll.poll((IDLE_SECONDS - timeout) * 1000)
        self._writes.read()  # what was written meanwhile is looked at in the round that follows
        return super().select(0)

    def close(self) -> None:
        """Let go of everything."""
        if self._writes is not None:
            self._writes.close()
            self._writes = None
        super().close()
