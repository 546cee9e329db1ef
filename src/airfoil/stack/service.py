"""What the stack runner knows of one service, and the specification file that carries the whole table to the manager.

Plain values with JSON in and out, standard library only: the manager stays a small process.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["service", "job", "helper"]
ProbeKind = Literal["exit", "channel", "http", "heartbeat"]
PATH_VARIABLE = "PYTHONPATH"
EXIT_UNSUPPORTED = 97
"""Exit code of a runtime module whose start-up self-test found a release it was not made for."""
EXIT_CONFIGURATION = 78
"""Exit code of a runtime module that has said, in one line of its log, what a person has to decide first."""
EXIT_UNAVAILABLE = 75
"""The same, when what it needs may be there at the next try."""


def join_paths(ours: str, theirs: str) -> str:
    """Join two lists of folders, ours first, each folder once."""
    folders = [*ours.split(os.pathsep), *theirs.split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(folder for folder in folders if folder))


@dataclass(frozen=True)
class Probe:
    """How readiness is proven: by what the service says of itself, never by an open port alone."""

    kind: ProbeKind
    url: str = ""
    expect: Mapping[str, Any] = field(default_factory=dict)
    """For `http`: keys and values the JSON body must hold; empty means status 200 is enough."""
    component: str = ""
    """For `heartbeat`: the component's name in Airflow's health document."""


@dataclass(frozen=True)
class Service:
    """One row of the table."""

    name: str
    title: str
    argv: tuple[str, ...]
    probe: Probe
    kind: Kind = "service"
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """What must be ready (or, for a job, done) before this one starts."""
    uses: tuple[str, ...] = ()
    """What it talks to while it runs: it may start without them, but stops before they do."""
    stage: str = ""
    """Which layer of the pre-loaded parent it is forked from; empty means a process started by exec."""
    module: str = ""
    """For a forked service: the module the child runs, exactly as `python -m` would."""
    fallback_argv: tuple[str, ...] = ()
    """The plain command to use when argv ends with EXIT_UNSUPPORTED."""
    port: int | None = None
    url: str = ""
    version: str = ""
    stop_signal: str = "SIGTERM"
    stop_timeout_seconds: float = 10.0
    start_timeout_seconds: float = 120.0
    memory_budget_mib: int = 0
    log: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Service:
        """Read what to_dict wrote."""
        values = dict(data)
        for key in ("argv", "needs", "uses", "fallback_argv"):
            values[key] = tuple(values.get(key, ()))
        values["probe"] = Probe(**values["probe"])
        return cls(**values)


@dataclass(frozen=True)
class Spec:
    """Everything the manager needs; it reads no settings and no environment of its own."""

    project: str
    stack_id: str
    engine: Literal["preloaded", "plain"]
    environment: Mapping[str, str]
    """Shared by every process of the stack; each service adds its own."""
    services: tuple[Service, ...]
    preload: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Layer name -> modules the pre-loaded parent imports, in order."""
    budgets: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)
    """Address of each server that is not started because it exists: `airflow`, `mlflow`."""
    settings: str = ""
    """The digest of the settings: some reach a running process by no argument (a name, a folder), yet must reach it."""
    log_max_bytes: int = 10 * 1024 * 1024
    log_backups: int = 3

    def to_json(self) -> str:
        """Serialise, layers in their order; the file holds secrets, so whoever writes it keeps it 0600."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Spec:
        """Read what to_json wrote."""
        values = json.loads(text)
        values["services"] = tuple(Service.from_dict(row) for row in values["services"])
        values["preload"] = {layer: tuple(names) for layer, names in values["preload"].items()}
        values["notices"] = tuple(values["notices"])
        return cls(**values)

    def environment_in(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The shared environment inside another one: ours wins, but folders of modules are searched in both."""
        found = {**inherited, **self.environment}
        if PATH_VARIABLE in self.environment:
            found[PATH_VARIABLE] = join_paths(
                self.environment[PATH_VARIABLE], inherited.get(PATH_VARIABLE, "")
            )
        return found

    def digest(self) -> str:
        """Changes whenever anything that a running process depends on changes; what is merely said does not count."""
        silent = dataclasses.replace(self, notices=())
        return hashlib.sha256(silent.to_json().encode()).hexdigest()[:16]

    def service(self, name: str) -> Service:
        """The row of that name."""
        return next(row for row in self.services if row.name == name)
