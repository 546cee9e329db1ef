"""Which months a run of the taxi DAGs learns from and is tested on, and where the file of a month lies.

The city publishes a month some two months after its end: a run of May trains on January and is tested on February.
Nothing is asked of anybody here; the moment comes from the caller.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Self

from pydantic import Field

from airfoil.errors import ConfigurationError
from airfoil.records import Record

TRAIN_MONTHS_BACK = 4
VALIDATION_MONTHS_BACK = 3
TLC_PATTERN = "https://d37ci6vzurychx.cloudfront.net/trip-data/yellow_tripdata_{year}-{month}.parquet"
"""Where the city itself publishes; `green_tripdata_...` lies beside it."""
_MONTHS_OF_YEAR = 12
_WRITTEN = re.compile(r"(\d{4})-(\d{1,2})")


class Month(Record):
    """A month of a year."""

    year: int = Field(ge=1, le=9999)
    number: int = Field(ge=1, le=12)

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Return the month in which a moment lies."""
        return cls(year=moment.year, number=moment.month)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a month as people write it: `2024-03`."""
        found = _WRITTEN.fullmatch(text.strip())
        if not found or not 1 <= int(found[2]) <= _MONTHS_OF_YEAR or not int(found[1]):
            raise ConfigurationError(f"'{text}' is no month", "Write year and month, such as 2024-03.")
        return cls(year=int(found[1]), number=int(found[2]))

    def back(self, months: int) -> Self:
        """Return the month that lies so many months before; after, if the number is negative."""
        year, number = divmod(self.year * _MONTHS_OF_YEAR + self.number - 1 - months, _MONTHS_OF_YEAR)
        if not 1 <= year <= 9999:  # noqa: PLR2004 - as far as four digits reach
            raise ConfigurationError(f"There is no month {months} months before {self}", "Ask for fewer.")
        return type(self)(year=year, number=number + 1)

    def location(self, pattern: str) -> str:
        """Return where the file of this month lies: the pattern with `{year}` and `{month}` (two digits) filled in."""
        if "{month}" not in pattern or "{year}" not in pattern:
            raise ConfigurationError(
                f"'{pattern}' names the same file for all months",
                "Write {year} and {month} where they belong, such as trips_{year}-{month}.parquet.",
            )
        return pattern.replace("{year}", f"{self.year:04d}").replace("{month}", f"{self.number:02d}")

    def __str__(self) -> str:
        """Write it as `2024-03`."""
        return f"{self.year:04d}-{self.number:02d}"


class MonthPair(Record):
    """The months of one run, and where their files lie."""

    train: Month
    validation: Month
    train_location: str
    validation_location: str

    @property
    def tags(self) -> dict[str, str]:
        """What a model of these months is marked with."""
        return {"train_month": str(self.train), "validation_month": str(self.validation)}


def choose_months(
    moment: datetime, *, pattern: str = TLC_PATTERN, train_month: str = "", validation_month: str = ""
) -> MonthPair:
    """Choose what a run at this moment learns from: four and three months before, unless months are named.

    Of a run without a logical date the moment is when it was asked for.
    """
    now = Month.of(moment)
    train = Month.parse(train_month) if train_month.strip() else now.back(TRAIN_MONTHS_BACK)
    validation = (
        Month.parse(validation_month) if validation_month.strip() else now.back(VALIDATION_MONTHS_BACK)
    )
    if train == validation:
        raise ConfigurationError(
            f"A model that learns from {train} cannot be tested on the same month", "Name another month."
        )
    return MonthPair(
        train=train,
        validation=validation,
        train_location=train.location(pattern),
        validation_location=validation.location(pattern),
    )
