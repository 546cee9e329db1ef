"""The stack's state as written to .airfoil/run/state.json: one writer (the manager), any number of readers.

Plain values with JSON in and out. Nothing here knows how a state comes about or whether a process is still alive.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
Phase = Literal["starting", "ready", "degraded", "failed", "stopping", "stopped"]
ServiceKind = Literal["service", "job", "helper"]
ServiceCondition = Literal[
    "waiting", "starting", "ready", "unhealthy", "restarting", "stopping", "stopped", "failed", "done"
]


@dataclass(frozen=True)
class ServiceState:
    """One service as the manager last saw it."""

    name: str
    title: str
    kind: ServiceKind
    state: ServiceCondition
    since: float
    """Epoch seconds at which `state` began."""
    pid: int | None = None
    pid_started: float | None = None
    """The process's birth (see airfoil.stack.process): a pid alone may be somebody else's by now."""
    restarts: int = 0
    detail: str = ""
    """Why it is not ready, or the last error, in plain words."""
    url: str | None = None
    port: int | None = None
    version: str | None = None
    memory_budget_mib: float = 0
    """0 means no budget of its own."""
    log: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ServiceState:
        """Read what to_dict wrote; unknown keys of a newer release are ignored, wrong values are ValueError."""
        _require("kind", data["kind"], get_args(ServiceKind))
        _require("state", data["state"], get_args(ServiceCondition))
        values = _known(cls, data)
        values["since"] = float(data["since"])
        values["restarts"] = int(data.get("restarts", 0))
        values["memory_budget_mib"] = float(data.get("memory_budget_mib") or 0)
        return cls(**values)


@dataclass(frozen=True)
class StackState:
    """The whole stack at one moment."""

    project: str
    stack_id: str
    engine: Literal["preloaded", "plain"]
    phase: Phase
    started_at: float
    updated_at: float
    manager_pid: int
    manager_started: float
    ready_at: float | None = None
    notices: tuple[str, ...] = ()
    """Warnings in plain words."""
    budgets: Mapping[str, float] = field(default_factory=dict)
    """`memory_mib` and `start_seconds`."""
    services: tuple[ServiceState, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)
    """Address of each server that existed before us and stands in for one of ours: `airflow`, `mlflow`."""
    schema: int = SCHEMA

    def service(self, name: str) -> ServiceState | None:
        """The service of that name, or None."""
        return next((service for service in self.services if service.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StackState:
        """Read what to_dict wrote; KeyError, TypeError or ValueError when it is something else."""
        _require("schema", data["schema"], (SCHEMA,))
        _require("phase", data["phase"], get_args(Phase))
        values = _known(cls, data)
        values["started_at"] = float(data["started_at"])
        values["ready_at"] = None if data.get("ready_at") is None else float(data["ready_at"])
        values["notices"] = tuple(str(notice) for notice in data.get("notices", ()))
        values["budgets"] = {str(key): float(value) for key, value in data.get("budgets", {}).items()}
        values["foreign"] = {str(name): str(url) for name, url in data.get("foreign", {}).items()}
        values["services"] = tuple(ServiceState.from_dict(row) for row in data.get("services", ()))
        return cls(**values)


def load(path: Path) -> StackState | None:
    """The state in that file, or None when there is none or it is garbled."""
    try:
        return StackState.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save(path: Path, state: StackState) -> None:
    """Replace the file in one step, so that no reader ever sees half of it; only the owner may read it."""
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"
    )  # created 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(state.to_dict(), file, indent=1)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _known(cls: type[ServiceState | StackState], data: Mapping[str, Any]) -> dict[str, Any]:
    names = {row.name for row in dataclasses.fields(cls)}
    return {key: value for key, value in data.items() if key in names}


def _require(key: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        message = f"{key} is {value!r}, which is none of {', '.join(map(str, allowed))}"
        raise ValueError(message)
