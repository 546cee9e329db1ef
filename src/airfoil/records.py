"""Frozen values that cross rooms: what a step returns, a client stores and a task hands on through XCom.

A record holds numbers, names and references, never data: frames and models stay where they are and travel as a
reference. Records know no Airflow, no server and no file, and turn into plain JSON and back without loss.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, PlainSerializer

# A frozen model freezes its fields, not the dictionaries inside them; this closes that gap.
FrozenNumbers = Annotated[
    Mapping[str, FiniteFloat],
    AfterValidator(lambda given: MappingProxyType(dict(given))),
    PlainSerializer(dict),
]


class Record(BaseModel):
    """Base of all records: immutable, no unknown fields, JSON in and out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, ready for XCom, a file or an HTTP body."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Rebuild the record from what `to_json` gave, as a mapping or as text."""
        return cls.model_validate(json.loads(value) if isinstance(value, str) else dict(value))


class DataRef(Record):
    """Where data lies and which data it is."""

    uri: str = Field(min_length=1)
    content_hash: str = Field(min_length=1)
    rows: int | None = Field(default=None, ge=0)


class ModelRef(Record):
    """A logged model: the URI that loads it and the run that made it."""

    name: str = Field(min_length=1)
    uri: str = Field(min_length=1)
    run_id: str = Field(min_length=1)
    version: int | None = Field(default=None, ge=1)


class Scores(Record):
    """Measured numbers by metric name, and on how many rows. Whether they are good enough is not said here."""

    values: FrozenNumbers
    rows: int = Field(ge=1)

    def __getitem__(self, metric: str) -> float:
        """Return one metric; an unknown name is a KeyError."""
        return self.values[metric]


class GateDecision(Record):
    """Whether a model may pass, by which numbers, and why; without numbers when there was nothing to compare."""

    passed: bool
    metric: str = Field(min_length=1)
    value: FiniteFloat | None = None
    baseline: FiniteFloat | None = None
    needed: FiniteFloat | None = None
    reason: str = Field(min_length=1)
