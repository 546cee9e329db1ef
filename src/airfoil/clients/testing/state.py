"""What the fake server's tables share: its clock, its source of ids, and lists of keys and values.

Ids look like MLflow's and carry no order: code that leans on the smallest or the newest id is found out.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Answer: TypeAlias = dict[str, Any]
Body: TypeAlias = Mapping[str, Any]


class World:
    """Time and chance of one fake server; the same seed gives the same ids."""

    def __init__(self, clock: Callable[[], float], seed: int) -> None:
        """Take the seams."""
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - ids of a test, not secrets

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self._clock() * 1000)

    def hex_id(self) -> str:
        """Return an id as runs have it."""
        return uuid.UUID(int=self._random.getrandbits(128), version=4).hex

    def dashed_id(self) -> str:
        """Return an id as webhooks have it."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def rows_of(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return keys and values as MLflow lists them."""
    return [{"key": key, "value": value} for key, value in values.items()]


def without_empty(answer: Answer) -> Answer:
    """Return an answer as MLflow's protocol writes it: lists with nothing in them are left out."""
    return {key: value for key, value in answer.items() if value is not None and value != []}
