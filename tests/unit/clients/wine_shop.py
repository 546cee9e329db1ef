"""A fake server with a registry that the tests of registry and ledger share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airfoil.clients.testing import FakeMlflow
from airfoil.records import LedgerEntry, ModelRef

if TYPE_CHECKING:
    import httpx

ALIAS_PATH = "mlflow/registered-models/alias"


class WineShop(FakeMlflow):
    """A fake server that notes what aliases were set to, and makes sources of models."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[int | None] = []

    def source(self, name: str = "model") -> ModelRef:
        """Return the source of a model, in the one run that has them all."""
        experiment = "models"
        if experiment not in self.experiments:
            number = self._experiments.create({"name": experiment})["experiment_id"]
            self._runs.create({"experiment_id": number, "run_name": "models"})
        run_id = self.run_of("models")["info"]["run_id"]
        return ModelRef(name="wine", uri=f"runs:/{run_id}/{name}", run_id=run_id)

    def add_versions(self, name: str, count: int) -> None:
        """Have a model with so many versions."""
        source = self.source()
        if name not in self.registered:
            self._registry.create({"name": name})
        for _ in range(count):
            self._versions.create({"name": name, "source": source.uri, "run_id": source.run_id})

    def alias(self, name: str, alias: str = "champion") -> int | None:
        """Return where an alias stands."""
        return self.registered[name]["aliases"].get(alias)

    def alive(self, name: str) -> list[int]:
        """Return the versions that were not deleted."""
        return [number for number, row in self.registered[name]["versions"].items() if not row["deleted"]]

    def _carry_out(self, path: str, request: httpx.Request) -> httpx.Response:
        answer = super()._carry_out(path, request)
        if path == ALIAS_PATH and request.method != "GET":
            self.written.append(None if request.method == "DELETE" else 1)
        return answer


START = datetime(2026, 11, 20, 14, tzinfo=UTC)


class Clock:
    """Says what it was told, and a second more each time."""

    def __init__(self) -> None:
        self.now = START.timestamp()

    def __call__(self) -> float:
        self.now += 1
        return self.now


def linear(entries: Sequence[LedgerEntry]) -> bool:
    """Numbered without a gap, each from where the one before ended, never back in time."""
    before = None
    for number, entry in enumerate(entries, 1):
        assert entry.number == number
        assert entry.from_version == (before.to_version if before else None)
        assert before is None or entry.at >= before.at
        before = entry
    return True
