"""Where a deployed model answers: what is asked of it, and the fresh process that answers until a model server does.

A model server is another `ModelEndpoint` with the same two names, and nothing else changes. A fresh process has nothing
in memory that training left there: it loads what the alias points to, as anybody would. Must not judge the answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from pydantic import Field

from airfoil import errors
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.errors import AirfoilError, InternalError, ServiceUnreachableError
from airfoil.records import Record

ANSWER = "airfoil-answer: "
MODULE = "airfoil.clients.fresh_prediction"
LAST_CHARACTERS = 300


class Predictions(Record):
    """What a deployed model said about some rows."""

    model: str
    alias: str
    version: int = Field(ge=1)
    predictions: tuple[Any, ...]
    load_seconds: float = Field(ge=0)
    latency_ms: tuple[float, ...] = ()
    """For each row that was asked about alone."""


class ModelEndpoint(Protocol):
    """A place where a deployed model answers."""

    @property
    def name(self) -> str:
        """What it is called in logs."""

    def predict(
        self, model: str, alias: str, rows: Sequence[Mapping[str, Any]], *, alone: int = 0
    ) -> Predictions:
        """Predict all rows, and the first `alone` of them one by one, with their times."""


@dataclass(frozen=True)
class FreshProcess:
    """A Python process that is started for one question."""

    server: MlflowServer
    """Where the registry is."""
    trusted_types: tuple[str, ...] = ()
    patience_seconds: float = 180.0
    command: tuple[str, ...] = (sys.executable, "-m", MODULE)

    @property
    def name(self) -> str:
        """What it is called in logs."""
        return "a fresh process"

    def predict(
        self, model: str, alias: str, rows: Sequence[Mapping[str, Any]], *, alone: int = 0
    ) -> Predictions:
        """Start it, ask, and end it. The login goes over its input: neither arguments nor environment show it."""
        question = {
            "server": asdict(self.server),
            "model": model,
            "alias": alias,
            "rows": [dict(row) for row in rows],
            "alone": alone,
            "trusted_types": list(self.trusted_types),
        }
        try:
            done = subprocess.run(
                self.command,
                input=json.dumps(question),
                capture_output=True,
                text=True,
                check=False,
                timeout=self.patience_seconds,
            )
        except subprocess.TimeoutExpired as late:
            raise ServiceUnreachableError(
                f"{model}@{alias} did not answer within {self.patience_seconds:g} s",
                "Look at the model's size.",
            ) from late
        lines = [line for line in done.stdout.splitlines() if line.startswith(ANSWER)]
        if not lines:
            last = " ".join(done.stderr.split())[-LAST_CHARACTERS:]
            raise InternalError(
                f"The process that loads {model}@{alias} ended with code {done.returncode}: {last or 'without a word'}",
                "Load the model yourself: `mlflow models predict` shows the whole error.",
            )
        return _answer(json.loads(lines[-1].removeprefix(ANSWER)))


def _answer(told: Mapping[str, Any]) -> Predictions:
    """Return the answer, or raise the error that came instead, of its own kind."""
    if "error" not in told:
        return Predictions.from_json(told["answer"])
    error = told["error"]
    kind = getattr(errors, str(error.get("kind")), None)
    is_ours = isinstance(kind, type) and issubclass(kind, AirfoilError)
    raised: type[AirfoilError] = kind if kind is not None and is_ours else InternalError
    raise raised(str(error.get("message")), str(error.get("next_move") or ""))
