"""What really ran: the ledger that the tasks of `busy` write, and a witness that watches the process table meanwhile.

Airflow's own records are what is under test, so they prove nothing here.
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import threading
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airfoil.stack import process

if TYPE_CHECKING:
    from tests.system.platforms import Platform

LOOK_SECONDS = 0.05
_TITLE = b"airflow worker -- "
"""Airflow names the process of a task after its instance: `airflow worker -- <id>`."""


@dataclass(frozen=True, order=True)
class Try:
    """One try of one task instance of a run."""

    task: str
    index: int
    number: int

    @property
    def instance(self) -> tuple[str, int]:
        """What must never run twice at the same time."""
        return self.task, self.index


@dataclass
class Body:
    """What one try's body wrote."""

    pids: list[int] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)


class Ledger:
    """The lines of one run."""

    def __init__(self, path: Path, run_id: str) -> None:
        self._path = path
        self.run_id = run_id

    def bodies(self) -> dict[Try, Body]:
        """Every try whose body began."""
        found: dict[Try, Body] = defaultdict(Body)
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        for line in lines:
            row = json.loads(line)
            if row["run"] != self.run_id:
                continue
            body = found[Try(row["task"], row["index"], row["try"])]
            if row["event"] == "start":
                body.pids.append(row["pid"])
                body.starts.append(row["at"])
            else:
                body.ends.append(row["at"])
        return dict(found)

    def in_flight(self) -> set[str]:
        """Tasks of which a body has begun and not ended."""
        return {key.task for key, body in self.bodies().items() if len(body.ends) < len(body.starts)}


class Witness:
    """Looks at every task process of a platform, many times a second, for as long as its block lasts."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._ledger = os.fsencode(platform.root / "ledger.jsonl")
        self._marks: dict[tuple[int, float], tuple[str, ...]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="witness")
        self.looks: list[tuple[float, dict[str, set[int]], dict[Try, set[int]]]] = []
        """When; processes by Airflow's id of the instance; shells by try."""

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            by_id: dict[str, set[int]] = defaultdict(set)
            by_try: dict[Try, set[int]] = defaultdict(set)
            parents: dict[int, int] = {}
            for name in os.listdir("/proc"):  # noqa: PTH208 - twenty times a second, without building paths
                if not name.isdigit():
                    continue
                words = _read(f"/proc/{name}/cmdline")
                if words.startswith(_TITLE) and b"LocalExecutor" not in words:
                    by_id[words.removeprefix(_TITLE).strip(b"\0 ").decode()].add(int(name))
                    parents[int(name)] = _parent(name)
                elif words.startswith((b"/usr/bin/bash\0", b"/bin/bash\0", b"bash\0", b"sleep\0")):
                    shell = self._shell(name)
                    if shell is not None:
                        by_try[shell].add(int(name))
            # A child that a task has just forked and that is not yet the program it will be has its parent's title.
            for pids in by_id.values():
                pids -= {pid for pid in pids if parents[pid] in pids}
            self.looks.append((time.time(), dict(by_id), dict(by_try)))

    def _shell(self, pid: str) -> Try | None:
        found = dict(part.partition(b"=")[::2] for part in _read(f"/proc/{pid}/environ").split(b"\0"))
        if found.get(b"LEDGER") != self._ledger:
            return None
        return Try(found[b"AIRFLOW_CTX_TASK_ID"].decode(), -1, int(found[b"AIRFLOW_CTX_TRY_NUMBER"]))

    # -- verdicts -------------------------------------------------------------------------------------------

    def twins(self, run_id: str) -> list[str]:
        """Task instances of the run that were seen with two live tries at the same moment."""
        names = self._instances(run_id)
        found = []
        for at, by_id, by_try in self.looks:
            alive: dict[tuple[str, int], set[str]] = defaultdict(set)
            for task_id, pids in by_id.items():
                if task_id in names:
                    alive[names[task_id]] |= {f"process {pid} of {task_id}" for pid in pids}
            shells: dict[tuple[str, int], set[int]] = defaultdict(set)
            for key in by_try:
                shells[key.instance].add(key.number)
            found += [f"{at:.2f} {key}: {sorted(who)}" for key, who in alive.items() if len(who) > 1]
            found += [
                f"{at:.2f} {key}: shells of tries {tries}" for key, tries in shells.items() if len(tries) > 1
            ]
        return found

    def _instances(self, run_id: str) -> dict[str, tuple[str, int]]:
        """Airflow's id -> task and map index; each try has an id of its own."""
        path = self._platform.project.airflow_database
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=20)) as database:
            rows = database.execute(
                "select id, task_id, map_index from task_instance where run_id = ? union "
                "select task_instance_id, task_id, map_index from task_instance_history where run_id = ?",
                (run_id, run_id),
            ).fetchall()
        return {_dashed(str(key)): (task_id, map_index) for key, task_id, map_index in rows}

    @property
    def longest_gap_seconds(self) -> float:
        """The longest time nobody looked."""
        times = [at for at, _, _ in self.looks]
        return max((later - sooner for sooner, later in itertools.pairwise(times)), default=0.0)


def overlaps(bodies: dict[Try, Body], witness: Witness) -> list[str]:
    """Tries that began before an earlier try of the same instance was last seen alive."""
    last_seen: dict[int, float] = {}
    for at, by_id, by_try in witness.looks:
        for pids in (*by_id.values(), *by_try.values()):
            last_seen.update(dict.fromkeys(pids, at))
    found = []
    for key, body in bodies.items():
        for other, later in bodies.items():
            if other.instance != key.instance or other.number <= key.number:
                continue
            seen = max((last_seen.get(pid, 0.0) for pid in body.pids if pid not in later.pids), default=0.0)
            if seen > min(later.starts):
                found.append(f"try {other.number} of {key.instance} began while try {key.number} lived")
    return found


def faults_in(bodies: dict[Try, Body]) -> list[str]:
    """Tries that ran or succeeded twice, and instances that never ended."""
    found = [f"{key} began {len(body.starts)} times" for key, body in bodies.items() if len(body.starts) > 1]
    found += [f"{key} ended {len(body.ends)} times" for key, body in bodies.items() if len(body.ends) > 1]
    ended = {key.instance for key, body in bodies.items() if body.ends}
    return found + [f"{key} never ended" for key in sorted({key.instance for key in bodies} - ended)]


def is_alive(pid: int) -> bool:
    """Whether some process has this number."""
    return process.birth(pid) is not None


def _dashed(text: str) -> str:
    """SQLite keeps ids without dashes."""
    bare = text.replace("-", "")
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


def _parent(pid: str) -> int:
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - twenty times a second
            return file.read()
    except OSError:
        return b""
