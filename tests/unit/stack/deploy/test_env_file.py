"""The .env of a server: what a person wrote stays as he wrote it."""

from __future__ import annotations

import pytest

from airfoil.errors import SettingsError
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
        ("'a'b", "a"),
        ('"a"#c', "a"),
        ("a\t#c", "a\t#c"),
        ("'a\nb'", "a\nb"),
        ('"a\n$$b" # told', "a\n$b"),
        ("a$5$", "a$5$"),
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


PEM = '"-----BEGIN\nHOST=x\n-----END"'


def test_a_value_over_several_lines_stays():
    text = f"A=1\nPEM={PEM}\nB=2\n"
    assert env_file.values(text) == {"A": "1", "PEM": PEM, "B": "2"}
    assert env_file.rendered(text, {"B": "3"}) == f"A=1\nPEM={PEM}\nB=3\n"
    once = env_file.rendered(EXAMPLE, {"PEM": PEM})
    assert env_file.values(once)["PEM"] == PEM
    assert env_file.rendered(EXAMPLE, env_file.values(once), before=once) == once


def test_comments_of_a_person_stay_where_they_are():
    before = (
        "# A name.\n# so that they find it\nHOST=x\n\n# mine\n# all mine\nMINE=1\n# other\nX=2\n# the end\n"
    )
    found = env_file.rendered(EXAMPLE, env_file.values(before), before=before)
    assert found.startswith(
        "# A name.\n# so that they find it\nHOST=x\n\n# Made once.\nSECRET=\n\n# ---- Yours"
    )
    assert found.endswith("\n\n# mine\n# all mine\nMINE=1\n\n# other\nX=2\n\n# the end\n")
    assert env_file.rendered(EXAMPLE, env_file.values(found), before=found) == found


def test_comments_of_an_earlier_example_go():
    before = "# The name.\nHOST=x\n# Gone.\nGONE=\n"
    found = env_file.rendered(EXAMPLE, {"HOST": "x"}, before=before, former=before)
    assert found == EXAMPLE.replace("localhost", "x")


@pytest.mark.parametrize("value", ["a$b", '"a$b"', "a${b}", "$$$b", "a\\$b", '"\\\\$b"', "a$b # 'told'"])
def test_a_dollar_that_compose_would_replace_is_refused(value):
    with pytest.raises(SettingsError, match=r"^HOST in .env holds a \$") as refused:
        env_file.check(f"# c\nHOST={value}\n", {"HOST"})
    assert value not in refused.value.in_full
    env_file.check(f"HOST={value}\n", {"SECRET"})


@pytest.mark.parametrize(
    "value", ["'a$b'", '"a\\$b"', "a$$b", '"a$$b"', "a$5", "a$", "'a' # $b", "a # $b", "", PEM]
)
def test_one_that_stays_a_dollar_is_not(value):
    env_file.check(f"HOST={value}\n", {"HOST"} if value is not PEM else {"SECRET"})


@pytest.mark.parametrize("text", ["HOST='a\n", 'A=1\nMINE="a\nb\n', "MINE='a\nHOST='b'\n"])
def test_a_quote_that_nothing_ends_is_refused(text):
    with pytest.raises(SettingsError, match=r"(HOST|MINE) in .env begins with a quote"):
        env_file.check(text, {"HOST"})


@pytest.mark.parametrize("line", ["HOST = secret", "HOST: secret", "HOST", "my secret", "\ufeffHOST=secret"])
def test_a_line_that_would_be_lost_is_refused(line):
    with pytest.raises(SettingsError, match=r"^Line 3 of .env is not NAME=VALUE\.") as refused:
        env_file.check(f"# A\nA=1\n{line}\nB=2\n", {"HOST"})
    assert "secret" not in refused.value.in_full


def test_what_is_shipped_and_made_is_never_refused():
    env_file.check(EXAMPLE, {"HOST", "SECRET"})
    for value in ("it's $5", "$HOME", "a\nb", "'$x", "ends \\"):
        env_file.check(f"HOST={env_file.written(value)}\n", {"HOST"})
