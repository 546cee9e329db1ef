"""Logical dates as people type them: reading, time zones, and the days of a range. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

FORMATS = "2026-11-20, 2026-11-20T06:00 or 2026-11-20T06:00+02:00"
DATE_LENGTH = len("2026-11-20")


@dataclass(frozen=True)
class TypedDate:
    """A date as typed; without an offset it means the DAG's own time zone."""

    moment: datetime
    whole_day: bool
    """Only the day was named."""

    def begin(self, zone: tzinfo) -> datetime:
        """Give the moment, or the day's first one."""
        return self.moment if self.moment.tzinfo else self.moment.replace(tzinfo=zone)

    def end(self, zone: tzinfo) -> datetime:
        """Give the moment, or the day's last one."""
        if not self.whole_day:
            return self.begin(zone)
        return (self.moment + timedelta(days=1)).replace(tzinfo=zone) - timedelta(microseconds=1)


def parse_date(text: str) -> TypedDate:
    """Read a date; ValueError is one sentence that tells the formats."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        message = f"{text!r} is not a date; write {FORMATS}"
        raise ValueError(message) from None
    return TypedDate(moment, len(text.strip()) <= DATE_LENGTH)


def time_zone(name: str) -> tzinfo:
    """Give the zone that Airflow names: `Europe/Berlin`, `UTC`, or an offset such as `+01:00`."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        pass
    try:
        offset = datetime.fromisoformat(f"2026-01-01T00:00{name}").utcoffset()
    except ValueError:
        offset = None
    return timezone(offset) if offset is not None else UTC


def days(begin: datetime, end: datetime) -> list[datetime]:
    """List one moment a day, at the time of day of the first, by the calendar of its zone."""
    found = []
    current = begin
    while current <= end:
        found.append(current)
        current = (current.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=begin.tzinfo)
    return found


def iso(moment: datetime) -> str:
    """Write a moment as Airflow's API takes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def short(moment: datetime) -> str:
    """Say a moment briefly: `2026-11-20`, or with the time when it is not midnight."""
    if (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M}" if moment.second == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"
