"""How values are shown in errors."""

import datetime as dt

import pytest

from airfoil.settings.complaints import printable, shown, unknown_entry, unknown_key, wrong_entry

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (1.5, "1.5"),
        ("", '""'),
        ("a\nb\x1b[0m", '"a?b?[0m"'),
        ("x" * 99, f'"{"x" * 60}..."'),
        ("postgresql://u:geheim@h/n", '"postgresql://u:***@h/n"'),
        ({"a": 1}, "a table"),
        (["a", 1, {}], '["a", 1, a table]'),
        (list(range(9)), "[0, 1, 2, 3, 4, ...]"),
        (dt.date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_values_are_shown_short_on_one_line_and_without_passwords(value, text):
    assert shown(value) == text


def test_a_number_that_python_refuses_to_print():
    assert shown(10**5000) == "a huge number"


def test_text_for_a_terminal_has_no_control_characters():
    assert printable("ä b\t\r\x00") == "ä b???"


def test_a_key_like_no_other_gets_the_list_alone():
    move = unknown_key("airfoil.toml:1", "page", "zzzz").next_move
    assert move == "Keys of [page]: host, port."


def test_a_key_of_airflow_is_told_where_airflows_own_stand():
    assert "such as [airflow.core]." in unknown_key("airfoil.toml:1", "airflow", "max_tis").next_move


def test_an_entry_below_a_name_is_told_with_its_nearest_and_without_control_characters():
    error = unknown_entry("airfoil.toml:3", "profiles.a", "gpus", ["cpu", "gpu"])
    assert str(error) == "airfoil.toml:3: there is no setting profiles.a.gpus."
    assert error.next_move == "Did you mean gpu? Keys of [profiles.a]: cpu, gpu."
    assert (
        str(wrong_entry("f:1", "pools.a\x1b", "a number", "x")) == 'f:1: pools.a? must be a number, not "x".'
    )
