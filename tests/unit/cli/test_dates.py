from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from airfoil.cli import dates

pytestmark = pytest.mark.unit

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-07-01", "2026-06-30T22:00:00Z", "2026-07-01T21:59:59.999999Z"),
        ("2026-07-01T06:00", "2026-07-01T04:00:00Z", "2026-07-01T04:00:00Z"),
        (" 2026-07-01 06:00:30 ", "2026-07-01T04:00:30Z", "2026-07-01T04:00:30Z"),
        ("2026-07-01T06:00+05:00", "2026-07-01T01:00:00Z", "2026-07-01T01:00:00Z"),
        ("2026-07-01T06:00Z", "2026-07-01T06:00:00Z", "2026-07-01T06:00:00Z"),
        # The day on which the clocks go forward has 23 hours.
        ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z"),
    ],
)
def test_a_date_is_meant_in_the_dags_own_zone(text, begin, end):
    typed = dates.parse_date(text)

    assert (dates.iso(typed.begin(BERLIN)), dates.iso(typed.end(BERLIN))) == (begin, end)


@pytest.mark.parametrize("text", ["", "20.11.2026", "yesterday", "2026-13-01", "2026-02-30", "1", "\x00"])
def test_what_is_no_date_is_one_sentence_with_the_formats(text):
    with pytest.raises(ValueError, match="is not a date; write 2026-11-20, 2026-11-20T06:00 or"):
        dates.parse_date(text)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", BERLIN),
        ("+01:00", timezone(timedelta(hours=1))),
        ("no/such/zone", UTC),
        ("../etc/passwd", UTC),
        ("", UTC),
    ],
)
def test_the_zones_that_airflow_names(name, zone):
    moment = datetime(2026, 7, 1, tzinfo=dates.time_zone(name))
    assert moment.utcoffset() == datetime(2026, 7, 1, tzinfo=zone).utcoffset()


def test_the_days_of_a_range_follow_the_calendar_over_a_change_of_the_clocks():
    begin, end = datetime(2026, 3, 28, 6, tzinfo=BERLIN), datetime(2026, 3, 30, 5, tzinfo=BERLIN)

    assert [dates.iso(day) for day in dates.days(begin, end)] == [
        "2026-03-28T05:00:00Z",
        "2026-03-29T04:00:00Z",
    ]
    assert dates.days(end, begin) == []


def test_moments_are_said_briefly():
    assert dates.short(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02"
    assert dates.short(datetime(2026, 1, 2, 6, tzinfo=UTC)) == "2026-01-02 06:00"
    assert dates.short(datetime(2026, 1, 2, 6, 0, 5, tzinfo=UTC)) == "2026-01-02 06:00:05"
