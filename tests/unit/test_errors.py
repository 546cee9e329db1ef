"""The error tree: one sentence, a next move, no password in either, and a drawing that shows every class."""

import pickle

import pytest

from airfoil import errors
from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    InternalError,
    NeighbourError,
    ServiceFailed,
    redact,
)

pytestmark = pytest.mark.unit


def every_error() -> list[type[AirfoilError]]:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return [value for value in found if issubclass(value, AirfoilError)]


def test_str_is_the_sentence_alone():
    error = ConfigurationError("It is wrong.", "Mend it.", details=["line 1"])
    assert str(error) == "It is wrong."
    assert error.next_move == "Mend it."
    assert error.details == ("line 1",)


def test_every_class_hangs_on_one_of_three_branches():
    branches = (ConfigurationError, NeighbourError, InternalError)
    for kind in every_error():
        if kind is not AirfoilError:
            assert sum(issubclass(kind, branch) for branch in branches) == 1, kind


def test_the_drawn_tree_is_the_real_one():
    drawn = [line.split("+- ")[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "+- " in line]
    assert (
        drawn
        == [kind.__name__ for kind in sorted(every_error(), key=lambda kind: drawn_place(drawn, kind))][1:]
    )
    assert set(drawn) | {"AirfoilError"} == {kind.__name__ for kind in every_error()}


def drawn_place(drawn: list[str], kind: type[AirfoilError]) -> int:
    return drawn.index(kind.__name__) if kind.__name__ in drawn else -1


def test_an_error_is_told_in_one_line():
    assert ServiceFailed("It ended", "See its log.").in_full == "It ended. See its log."
    assert ServiceFailed("It ended.", "See its log.").in_full == "It ended. See its log."
    assert ServiceFailed("It ended").in_full == "It ended."


def test_errors_survive_a_trip_between_processes():
    error = pickle.loads(pickle.dumps(ServiceFailed("It ended.", "See its log.", details=["a", "b"])))  # noqa: S301
    assert (type(error), str(error), error.next_move, error.details) == (
        ServiceFailed,
        "It ended.",
        "See its log.",
        ("a", "b"),
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://anna:geheim@db/x", "postgresql://anna:***@db/x"),
        ("postgresql+psycopg2://anna:ge@he/im:@db:5432/x", "postgresql+psycopg2://anna:***@db:5432/x"),
        ("redis://:geheim@db", "redis://:***@db"),
        (
            "see 'postgresql://a:geheim@db/x' and http://b:geheim@c",
            "see 'postgresql://a:***@db/x' and http://b:***@c",
        ),
        ("https://s3/x?X-Amz-Signature=geheim&a=1", "https://s3/x?X-Amz-Signature=***&a=1"),
        ("postgresql:///x?user=a&password=geheim", "postgresql:///x?user=a&password=***"),
        ("http://127.0.0.1:8080/dags", "http://127.0.0.1:8080/dags"),
        ("mail anna@example.com: at 10:30", "mail anna@example.com: at 10:30"),
        ("", ""),
    ],
)
def test_passwords_in_addresses_are_hidden(text, shown):
    assert redact(text) == shown


def test_no_part_of_an_error_shows_a_password():
    url = "postgresql://anna:geheim@db/x"
    error = NeighbourError(f"No answer from {url}.", f"Try {url}.", details=[url])
    assert "geheim" not in repr(error) + str(error) + error.next_move + "".join(error.details)
