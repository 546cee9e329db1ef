"""The result of a benchmark: the one JSON line of the contract, and the file that the report is made from.

Knows nothing about what was measured; a benchmark hands it figures, goals and words.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
OURS, PEER = "ours", "peer"


@dataclass(frozen=True)
class Figure:
    """How a number is called and shown."""

    key: str
    label: str
    unit: str = ""
    digits: int = 1
    is_plotted: bool = False


@dataclass(frozen=True)
class Goal:
    """A promise and whether it is kept."""

    text: str
    value: float
    limit: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """At most the limit."""
        return self.value <= self.limit


@dataclass(frozen=True)
class Side:
    """One contender as the report names it."""

    key: str
    label: str
    command: str


@dataclass(frozen=True)
class Result:
    """Everything one run of a benchmark has to say."""

    name: str
    title: str
    lead: str
    size: Mapping[str, float]
    versions: Mapping[str, str]
    samples: int
    sides: Sequence[Side]
    figures: Sequence[Figure]
    numbers: Mapping[str, Mapping[str, float]]
    """Figures by contender; ours and peer must be among them."""
    equal: bool
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()
    machine: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> dict[str, Any]:
        """The contract: ours against the peer, and against every further peer beside it."""
        commands = {side.key: side.command for side in self.sides}
        found: dict[str, Any] = {
            "name": self.name,
            "size": dict(self.size),
            "versions": dict(self.versions),
            "peer_command": commands[PEER],
            "samples": self.samples,
            OURS: rounded(self.numbers[OURS]),
        }
        peers = [key for key in self.numbers if key != OURS]
        found |= {key: rounded(self.numbers[key]) for key in peers}
        found |= {
            f"ratio{key.removeprefix(PEER)}": ratios(self.numbers[OURS], self.numbers[key]) for key in peers
        }
        return found | {"equal": self.equal}

    def to_dict(self) -> dict[str, Any]:
        """What is kept."""
        return {
            "line": self.line(),
            "taken_on": time.strftime("%Y-%m-%d"),
            "title": self.title,
            "lead": self.lead,
            "sides": [asdict(side) for side in self.sides],
            "figures": [asdict(figure) for figure in self.figures],
            "goals": [asdict(goal) | {"is_met": goal.is_met} for goal in self.goals],
            "notes": list(self.notes),
            "machine": dict(self.machine),
            "details": dict(self.details),
        }

    def keep(self, folder: Path = RESULTS) -> Path:
        """Write the file, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(part, path)  # noqa: PTH105 - the word for it
        return path


def medians(samples: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each figure over all repeats."""
    return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def ratios(ours: Mapping[str, float], peer: Mapping[str, float]) -> dict[str, float]:
    """Ours divided by the peer's, where that means something."""
    return {key: round(value / peer[key], 3) for key, value in ours.items() if peer.get(key, 0) > 0}


def rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    """Without digits that nobody measured."""
    return {key: round(value, 3) for key, value in numbers.items()}


def load_all(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """Every kept result, by name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
