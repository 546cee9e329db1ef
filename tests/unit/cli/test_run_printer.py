import io
import sys

import pytest

from airfoil.cli.follow import Change, RunView, TaskView
from airfoil.cli.run_printer import RunPrinter, Silence, change_text

pytestmark = pytest.mark.unit


def view(*tasks, state="running"):
    return RunView(state, 3.0, tasks)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("train", "success", 1, 3.25), "✓ train                        success  3.2 s"),
        (Change("train", "failed", 2, 70.0), "✗ train                        failed  1 min 10 s  (try 2)"),
        (Change("d[]", "running", count="3 of 12"), "  d[]                          running  3 of 12"),
    ],
)
def test_one_change_on_one_line(change, text):
    assert change_text(change) == text


def test_plain_lines_carry_the_time_since_the_start(capsys):
    ticks = iter([100.0, 101.5, 101.5, 104.0, 104.0])
    printer = RunPrinter(clock=lambda: next(ticks), terminal=False)

    with printer:
        printer.look(view(), [Change("train", "running", 1)])
        printer.look(view(state="success"), [Change("train", "success", 1, 2.5)])
        printer.notice("note")

    assert capsys.readouterr().out.splitlines() == [
        "    1.5 s    train                        running",
        "    4.0 s  ✓ train                        success  2.5 s",
        "  note",
    ]


def test_the_live_part_shows_what_runs_and_ages_it():
    now = [100.0]
    printer = RunPrinter(clock=lambda: now[0], terminal=False)
    assert printer.live_lines() == []
    tasks = [TaskView("a", -1, "success", 1, 1.0), TaskView("b", -1, "running", 1, 2.0)]
    retry = TaskView("c", -1, "up_for_retry", 1, 1.5)
    printer.look(view(*tasks, retry), [])

    now[0] = 105.0

    assert printer.live_lines() == [
        "  b                            running  7.0 s",
        "! c                            up_for_retry  1.5 s",
        "  1 of 3 tasks done  8.0 s",
    ]


def test_many_running_tasks_do_not_fill_the_screen():
    printer = RunPrinter(clock=lambda: 0.0, terminal=False)
    printer.look(view(*(TaskView(f"t{number}", -1, "running", 1, 1.0) for number in range(20))), [])

    lines = printer.live_lines()

    assert len(lines) == 10
    assert lines[-2] == "  and 12 more"


def test_on_a_terminal_finished_tasks_stay_as_lines(monkeypatch, colours_allowed):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    with RunPrinter(terminal=True) as printer:
        printer.look(view(TaskView("a", -1, "running", 1, 1.0)), [Change("a", "running", 1)])
        printer.notice("Airflow is away")
        printer.look(
            view(TaskView("a", -1, "success", 1, 1.0), state="success"), [Change("a", "success", 1, 1.0)]
        )
    text = screen.getvalue()

    assert "✓ a" in text
    assert "Airflow is away" in text
    assert text.rstrip().endswith("\x1b[2K")


def test_silence_says_nothing(capsys):
    with Silence() as silence:
        silence.look(view(), [Change("a", "failed")])
        silence.notice("x")

    assert capsys.readouterr() == ("", "")
