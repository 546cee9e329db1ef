import pytest

from airfoil.errors import NeighbourError
from airfoil.stack.packages import changes
from airfoil.stack.packages.changes import Outcome, Wish
from airfoil.stack.packages.installation import Change

pytestmark = pytest.mark.unit


@pytest.fixture
def world(monkeypatch):
    """What is asked for, and what comes of it."""
    asked: list[Wish] = []
    outcomes = [Outcome(("cowsay 6.1",), Change(("cowsay 6.1",)))]

    def carry_out(project, wish, name, doing):
        asked.append(wish)
        with doing("Locking"):
            pass
        if isinstance(outcomes[-1], Exception):
            raise outcomes[-1]
        return outcomes[-1]

    monkeypatch.setattr(changes, "carry_out", carry_out)
    return asked, outcomes


def test_packages_are_handed_on_as_they_were_written(project, airfoil, world):
    outcome = airfoil("add", "cowsay>=6", "b", "--upgrade")

    assert (outcome.code, outcome.out, outcome.err) == (0, "Added cowsay 6.1.\n", "Locking ...\n")
    assert world[0] == [Wish(("cowsay>=6", "b"), None, remove=False, upgrade=True)]


def test_an_environment_says_where_its_python_is(project, airfoil, world):
    outcome = airfoil("add", "--environment", "old", "cowsay")

    assert outcome.out == (
        "Added cowsay 6.1 in the environment old.\nIts Python is .airfoil/environments/old/bin/python.\n"
    )
    assert world[0] == [Wish(("cowsay",), "old")]


def test_a_running_platform_that_needs_a_restart_is_told_of(running, airfoil, world):
    world[1].append(Outcome(("a 2",), Change(("a 2",), needs_restart=True)))
    assert airfoil("add", "a").out == (
        "Added a 2.\nThe running platform has the old packages loaded; `airfoil up` starts it anew.\n"
    )


def test_nothing_new_and_nothing_running(project, airfoil, world):
    world[1].append(Outcome((), Change(needs_restart=True)))
    assert airfoil("add").out == "airfoil.lock is up to date.\n"
    assert airfoil("add", "--remove", "a").out == "Removed a.\n"


def test_a_refusal_is_a_sentence(project, airfoil, world):
    world[1].append(NeighbourError("No network.", "Later."))
    outcome = airfoil("add", "a")
    assert (outcome.code, outcome.err) == (1, "Locking ...\nError: No network.\nLater.\n")


def test_up_brings_packages_in_line_and_says_what_it_could_not(
    project, airfoil, stack, a_state, a_service, monkeypatch
):
    stack.steps = [a_state(a_service("page"))]
    monkeypatch.setattr(changes, "bring_up_to_date", lambda *_: (Change(("a 1",), ("b",)), "No network."))

    assert "a 1" not in airfoil("up").err, "without a lock, nobody looks"
    project.lock_file().touch()
    outcome = airfoil("up")

    assert outcome.err == "a 1, without b\nNote: No network.\n"
    assert stack.calls == ["up", "up"]
