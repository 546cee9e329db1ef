"""What is asked of a table: its columns, keys, rows and age. Written in YAML or in Python, without any data."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, PlainSerializer, model_validator

from airfoil.errors import ConfigurationError
from airfoil.records import Record
from airfoil.steps.quality.column_types import KINDS, is_type


def _plain(given: Any) -> Any:
    """Dates become text: a bound is held against whatever type the column turns out to have."""
    return given.isoformat() if isinstance(given, dt.date) else given


Plain = Annotated[bool | int | FiniteFloat | str, BeforeValidator(_plain)]
Bound = Annotated[int | FiniteFloat | str, BeforeValidator(_plain)]
Share = Annotated[float, Field(ge=0, le=1)]


class ColumnRule(Record):
    """What is asked of one column. Only what is said is checked, besides that the column is there."""

    type: str = ""
    """A kind (`integer`, `number`, `text`, ...) or the exact type as Arrow writes it, such as `int32`."""
    required: bool = True
    nullable: bool = True
    most_missing: Share | None = None
    """The largest share of rows without a value; NaN is no value."""
    finite: bool = False
    """Whether infinities are refused."""
    at_least: Bound | None = None
    at_most: Bound | None = None
    one_of: tuple[Plain, ...] = ()
    matches: str = ""
    """A regular expression for the whole text."""
    unique: bool = False
    tolerance: Share = 0.0
    """The share of values that may break a range, set or pattern."""

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.type and not is_type(self.type):
            message = (
                f"no column is of type '{self.type}': take one of {', '.join(KINDS)}, or a type of Arrow's"
            )
            raise ValueError(message)
        if self.at_least is not None and self.at_most is not None:
            if isinstance(self.at_least, str) != isinstance(self.at_most, str):
                message = "at_least and at_most are of different kinds"
                raise ValueError(message)
            if self.at_least > self.at_most:  # type: ignore[operator]  # both texts or both numbers, see above
                message = f"nothing is at least {self.at_least} and at most {self.at_most}"
                raise ValueError(message)
        try:
            re.compile(self.matches)
        except re.error as error:
            message = f"'{self.matches}' is no regular expression: {error}"
            raise ValueError(message) from error
        return self


class RowBounds(Record):
    """How many rows a table must have at least, and may have at most. An empty table passes only where 0 is said."""

    at_least: int = Field(default=1, ge=0)
    at_most: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.at_most is not None and self.at_most < self.at_least:
            message = f"no table has at least {self.at_least} and at most {self.at_most} rows"
            raise ValueError(message)
        return self


class Freshness(Record):
    """How old the newest row may be. A row of the future makes an old table look fresh, so it is refused."""

    column: str = Field(min_length=1)
    hours: float = Field(gt=0)
    ahead_hours: float = Field(default=1, ge=0)
    """How far ahead of us the clock of whoever writes may be."""


class ForeignKey(Record):
    """Columns whose values must all stand in another table."""

    columns: tuple[str, ...] = Field(min_length=1)
    table: str = Field(min_length=1)
    """What the other table is called; who measures hands it in under this name."""
    references: tuple[str, ...] = ()
    """Its columns, where they are called otherwise."""
    tolerance: Share = 0.0

    @model_validator(mode="after")
    def _pairs_up(self) -> Self:
        if self.references and len(self.references) != len(self.columns):
            message = f"{len(self.columns)} columns cannot refer to {len(self.references)}"
            raise ValueError(message)
        return self


class Contract(Record):
    """All that is asked of a table."""

    columns: Annotated[Mapping[str, ColumnRule], AfterValidator(MappingProxyType), PlainSerializer(dict)] = (
        Field(default_factory=dict, validate_default=True)
    )
    other_columns: Literal["allow", "refuse"] = "allow"
    rows: RowBounds = RowBounds()
    keys: tuple[tuple[str, ...], ...] = ()
    """Columns whose values together name one row; rows that lack one of them are not compared."""
    most_duplicates: Share | None = None
    """The largest share of rows that repeat another one wholly; without it they are counted and not judged."""
    freshness: Freshness | None = None
    foreign_keys: tuple[ForeignKey, ...] = ()

    @model_validator(mode="after")
    def _names_whole_keys(self) -> Self:
        if any(not key or len(set(key)) < len(key) for key in self.keys):
            message = "a key names at least one column, and none twice"
            raise ValueError(message)
        return self

    @property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """The keys, with the columns that are unique on their own."""
        single = tuple((name,) for name, rule in self.columns.items() if rule.unique)
        return tuple(dict.fromkeys((*single, *self.keys)))

    @classmethod
    def of_yaml(cls, text: str, name: str = "the contract") -> Self:
        """Read a contract from the text of a YAML file."""
        import yaml

        try:
            given = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigurationError(
                f"{name} is no YAML: {' '.join(str(error).split())[:200]}", "Mend the line it names."
            ) from error
        return cls.of(given, name)

    @classmethod
    def of(cls, given: Any, name: str = "the contract") -> Self:
        """Read a contract from plain values; what means nothing is a ConfigurationError that says where."""
        from pydantic import ValidationError

        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise ConfigurationError(
                f"{name} is {'empty' if given is None else 'no table of settings'}",
                "Begin with `columns:`; docs/data-quality.md shows a whole one.",
            )
        try:
            return cls.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            said = first["msg"].removeprefix("Value error, ")
            raise ConfigurationError(
                f"{name} means nothing: {f'{where}: ' if where else ''}{said}",
                "What a contract may say is listed in docs/data-quality.md.",
            ) from error

    def to_yaml(self) -> str:
        """Return the contract as YAML, without what is said by saying nothing."""
        import yaml

        said = self.model_dump(mode="json", exclude_defaults=True)
        return str(
            yaml.safe_dump(said, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
        )
