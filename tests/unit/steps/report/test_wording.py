"""Words of the page: numbers a person can read, names that show what is in them."""

from __future__ import annotations

import datetime as dt

import pytest

from airfoil.steps.report import wording

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (0, "0"),
        (1234567, "1,234,567"),
        (-7.0, "-7"),
        (3.14159, "3.142"),
        (12345.678, "12,346"),
        (0.00001234, "1.23e-05"),
        (1e300, "1e+300"),
        (2**70, "1.181e+21"),
        (10**400, "1.000e+400"),
        ("2026-01-01", "2026-01-01"),
        (float("inf"), "inf"),
    ],
)
def test_numbers(value, said):
    assert wording.number(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(None, "-"), (0, "0"), (1e-320, "1.0e-320"), (0.04999, "0.050"), (1, "1.000")]
)
def test_p_values(value, said):
    assert wording.p_value(value) == said


@pytest.mark.parametrize(
    ("share", "said"), [(None, "-"), (0, "0 %"), (1e-9, "< 0.01 %"), (0.1234, "12.3 %"), (1, "100 %")]
)
def test_shares(share, said):
    assert wording.percent(share) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1_790_000_000, "2026-09-21 14:13"),
        (1_789_948_800, "2026-09-21"),
        (90, "1.5 min"),
        (-7200, "-2 h"),
        (1e30, "1e+30 s"),
        (-62135596800.0 * 10, "-6.214e+11 s"),
    ],
)
def test_moments_and_spans(seconds, said):
    assert wording.instant(seconds) == said


def test_a_moment_is_told_in_utc():
    zone = dt.timezone(dt.timedelta(hours=2))
    assert wording.moment(dt.datetime(2026, 11, 22, 1, 30, tzinfo=zone)) == "2026-11-21 23:30 UTC"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fare", "<bdi>fare</bdi>"),
        ("<b>", "<bdi>&lt;b&gt;</bdi>"),
        ("a\nb\t", "<bdi>a\\nb\\t</bdi>"),
        ("\u202etxt", "<bdi>\\u202etxt</bdi>"),
        ("\ud800", "<bdi>\\ud800</bdi>"),
        ("", '<i class="muted">empty</i>'),
        ("  ", '<i class="muted">blank</i>'),
    ],
)
def test_names_show_what_is_in_them(text, shown):
    assert wording.name(text) == shown


def test_a_long_name_is_cut_in_the_middle_and_whole_in_its_tooltip():
    shown = wording.name("a" * 100 + "b" * 100)
    assert "a…b" in shown
    assert f'title="{"a" * 100}{"b" * 100}"' in shown


def test_emoji_stay_whole():
    assert wording.visible("👩‍🔬") == "👩‍🔬"


def test_many_names_are_counted():
    assert wording.names(tuple("abcdefg"), 2) == "<bdi>a</bdi>, <bdi>b</bdi> and 5 more"
