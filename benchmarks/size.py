"""How much of everything a benchmark does; SCALE=0.1 shrinks counts and waits for a quick look."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

MAPPED_RUNS = 2


@dataclass(frozen=True)
class Size:
    """The counts and times of the floor benchmark."""

    scale: float
    chain_runs: int
    mapped_runs: int
    mapped_tasks: int
    rest_seconds: float
    idle_seconds: float

    @classmethod
    def of(cls, scale: float) -> Self:
        """The full size is 1."""
        if not 0 < scale <= 1:
            raise ValueError(f"SCALE is {scale:g}; it must be above 0 and at most 1.")
        return cls(
            scale=scale,
            chain_runs=max(2, round(10 * scale)),
            mapped_runs=MAPPED_RUNS,
            mapped_tasks=max(5, round(100 * scale)),
            rest_seconds=max(3.0, 30 * scale),
            idle_seconds=max(6.0, 60 * scale),
        )

    @property
    def is_full(self) -> bool:
        """Only such results are kept and published."""
        return self.scale == 1

    def to_dict(self) -> dict[str, float]:
        """For the result."""
        return asdict(self)


def scale_from(environment: Mapping[str, str] = os.environ) -> float:
    """What SCALE says."""
    text = environment.get("SCALE") or "1"
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"SCALE is {text!r}; it must be a number such as 0.1.") from None
