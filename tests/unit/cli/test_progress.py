"""What `up` and `down` say while they wait, over written histories of the stack's state."""

import pytest

from airfoil.cli.progress import Progress, changes, rows

pytestmark = pytest.mark.unit

BEGAN = 1000.0


@pytest.fixture
def state(a_state, a_service):
    def make(phase="starting", updated_at=BEGAN + 1, **services):
        made = [
            a_service(name.replace("_", "-"), condition, since=since, detail=detail)
            for name, (condition, since, detail) in services.items()
        ]
        return a_state(*made, phase=phase, updated_at=updated_at)

    return make


def test_only_changes_are_told(state):
    history = [
        state(setup=("starting", 1000.5, ""), mlflow=("waiting", 1000.0, "")),
        state(setup=("starting", 1000.5, ""), mlflow=("waiting", 1000.0, "")),
        state(setup=("done", 1003.0, ""), mlflow=("starting", 1003.1, "")),
        state(setup=("done", 1003.0, ""), mlflow=("starting", 1003.1, "no answer yet")),
        state(setup=("done", 1003.0, ""), mlflow=("failed", 1010.0, "ended with exit code 1")),
    ]

    told = [changes(before, now, BEGAN) for before, now in zip([None, *history], history, strict=False)]

    assert told == [
        ["   0.5 s  setup          starting"],
        [],
        ["   3.0 s  setup          done", "   3.1 s  mlflow         starting"],
        [],
        ["  10.0 s  mlflow         failed      ended with exit code 1"],
    ]


def test_what_was_ready_before_we_came_is_not_told(state):
    assert changes(None, state(mlflow=("ready", 5.0, ""), page=("restarting", 900.0, "")), BEGAN) == [
        "   0.0 s  page           restarting"
    ]


def test_rows_of_the_live_display(state):
    now = state(
        setup=("done", 1003.0, ""),
        mlflow=("starting", 1003.0, "no answer"),
        page=("waiting", 1000.0, ""),
        scheduler=("ready", 500.0, ""),
        triggerer=("restarting", 1006.0, "ended"),
    )

    assert rows(now, BEGAN, 1007.0) == [
        ("✓", "setup", "done", "3.0 s"),
        (" ", "mlflow", "starting", "4.0 s"),
        (" ", "page", "waiting", ""),
        ("✓", "scheduler", "ready", ""),
        (" ", "triggerer", "restarting", "1.0 s  ended"),
    ]
    assert rows(now, BEGAN, 1020.0)[1] == (" ", "mlflow", "starting", "17.0 s  no answer")


def test_without_a_terminal_there_are_plain_lines(state, capsys):
    with Progress("ready", clock=lambda: BEGAN, terminal=False) as progress:
        progress(state(mlflow=("starting", 1000.5, "")))
        progress(state(phase="ready", mlflow=("ready", 1004.0, "")))

    assert capsys.readouterr().out == "   0.5 s  mlflow         starting\n   4.0 s  mlflow         ready\n"
    assert progress.has_shown


def test_a_stack_that_is_ready_already_shows_nothing(state, capsys):
    with Progress("ready", clock=lambda: BEGAN, terminal=False) as progress:
        progress(state(phase="ready", mlflow=("ready", 900.0, "")))

    assert capsys.readouterr().out == ""
    assert not progress.has_shown


@pytest.mark.parametrize("phase", ["stopped", "ready"])
def test_the_end_of_an_earlier_life_is_not_shown(state, capsys, phase):
    with Progress("stopped", clock=lambda: BEGAN, terminal=False) as progress:
        progress(state(phase=phase, updated_at=500.0, mlflow=("stopped", 400.0, "")))

    assert not progress.has_shown


def test_the_live_display_ends_with_its_last_state(state, capsys, colours_allowed):
    with Progress("ready", clock=lambda: BEGAN + 2, terminal=True) as progress:
        progress(state(mlflow=("starting", 1000.5, "")))
        progress(state(phase="ready", mlflow=("ready", 1004.0, "")))

    assert "mlflow" in capsys.readouterr().out.splitlines()[-1]
