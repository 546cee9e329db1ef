"""A table of features over time, and how its rows belong to entity rows: keys, moments, and how long a row is valid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from airfoil.errors import ConfigurationError, TableError
from airfoil.steps.scans import Scan

if TYPE_CHECKING:
    from airfoil.records import FeatureSource


@dataclass(frozen=True)
class FeatureTable:
    """One feature table; a null key or a null moment in it belongs to nobody."""

    scan: Scan
    timestamp: str
    """The column with the moment from which a row is true."""
    features: Mapping[str, str] | Sequence[str]
    """What each feature is called in the training set, and its column here; a plain list where both are the same."""
    keys: Mapping[str, str] | Sequence[str] = field(default=())
    """The entity table's key columns, and their columns here; none when the rows belong to everybody."""
    created: str = ""
    """The column with the moment a row was written: of two rows for the same moment, the one written later counts."""
    ttl: timedelta | None = None
    """How long a row counts; for ever when None."""
    name: str = ""

    def __post_init__(self) -> None:
        """Put names in one form, and refuse what cannot be joined."""
        object.__setattr__(self, "features", _by_name(self.features))
        object.__setattr__(self, "keys", _by_name(self.keys))
        object.__setattr__(self, "name", self.name or self.scan.name)
        if not self.features:
            raise ConfigurationError(f"Nothing is wanted of the feature table {self.name}", "Name features.")
        if self.ttl is not None and self.ttl <= timedelta(0):
            raise ConfigurationError(
                f"The feature table {self.name} has a TTL of {self.ttl}",
                "Give a longer time, or none where features stay valid for ever.",
            )
        needed = [self.timestamp, *self.key_columns.values(), *self.feature_columns.values()]
        for column in [*needed, *([self.created] if self.created else [])]:
            if column not in self.scan.columns:
                raise TableError(
                    f"The feature table {self.name} has no column '{column}'",
                    f"It has: {', '.join(self.scan.columns[:20])}.",
                )

    @classmethod
    def of(cls, source: FeatureSource, scan: Scan) -> Self:
        """Put what a feature store says of a table, and the table, together."""
        return cls(
            scan,
            source.timestamp,
            source.features,
            source.keys,
            created=source.created,
            ttl=None if source.ttl_seconds is None else timedelta(seconds=source.ttl_seconds),
            name=source.name,
        )

    @property
    def feature_columns(self) -> Mapping[str, str]:
        """Columns here by the names of features."""
        return _by_name(self.features)

    @property
    def key_columns(self) -> Mapping[str, str]:
        """Columns here by columns of the entity table."""
        return _by_name(self.keys)


def _by_name(given: Mapping[str, str] | Sequence[str]) -> Mapping[str, str]:
    return dict(given) if isinstance(given, Mapping) else {name: name for name in given}
