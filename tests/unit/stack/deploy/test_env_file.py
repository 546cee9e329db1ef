"""The .env of a server: what a person wrote stays as he wrote it."""

from __future__ import annotations

import pytest

from airfoil.stack.deploy import env_file

pytestmark = pytest.mark.unit

EXAMPLE = """# A name.
HOST=localhost

# Made once.
SECRET=
"""


def test_values_are_filled_in_and_the_rest_stays():
    assert env_file.rendered(EXAMPLE, {"SECRET": "abc=="}) == EXAMPLE.replace("SECRET=", "SECRET=abc==")


def test_variables_that_the_example_does_not_know_stay():
    text = env_file.rendered(EXAMPLE, {"MINE": "'a b'"})
    assert text.startswith(EXAMPLE)
    assert text.endswith("\nMINE='a b'\n")
    assert env_file.values(text) == {"HOST": "localhost", "SECRET": "", "MINE": "'a b'"}


def test_rendering_again_changes_nothing():
    once = env_file.rendered(EXAMPLE, {"SECRET": "x", "MINE": "1"})
    assert env_file.rendered(once, env_file.values(once)) == once


@pytest.mark.parametrize(
    "value",
    [
        *("", "plain", "a b", "it's", "a$b", 'a"b', 'it\'s $5 "x"', "a#b", "a #b", "back\\s'"),
        *("a b\\", "'\\", "\\'", "a\\\\", '\\"', "it's\\n", "two\nlines"),
    ],
)
def test_a_value_is_written_so_that_it_is_read_the_same(value):
    assert env_file.spoken(env_file.written(value)) == value


@pytest.mark.parametrize(
    ("stands", "means"),
    [
        ("a$$b", "a$b"),
        ("'a$$b'", "a$$b"),
        ("a # told", "a"),
        ("a#b", "a#b"),
        ('"x $$y"', "x $y"),
        ("'a' # told", "a"),
        ("'it\\'s'", "it's"),
    ],
)
def test_what_a_person_wrote_is_read_as_compose_reads_it(stands, means):
    assert env_file.spoken(stands) == means


def test_a_quote_at_the_end_is_not_hidden_by_a_backslash():
    assert env_file.written("a b\\") == '"a b\\\\"'


def test_lines_for_a_shell_are_understood():
    assert env_file.values("export A=1\n #B=2\n  C = 3\nD=4\n") == {"A": "1", "D": "4"}


def test_values_are_given_as_compose_reads_them():
    text = "A=plain\nB='it is$ 8 # long'\nC=dollar$$sign # told\n# D=no\n"
    assert env_file.spoken_values(text) == {"A": "plain", "B": "it is$ 8 # long", "C": "dollar$sign"}
