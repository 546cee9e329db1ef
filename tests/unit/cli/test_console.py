import io
import json
import sys

import pytest

from airfoil.cli import console
from airfoil.errors import NeighbourError

pytestmark = pytest.mark.unit


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch, colours_allowed):
    def use():
        # Within the test itself: pytest puts its own stream in place after the fixtures.
        monkeypatch.setattr(sys, "stdout", Terminal())

    return use


def test_colours_only_on_a_terminal(terminal):
    terminal()

    assert console.styled("x", "red") == "\x1b[31mx\x1b[0m"
    assert console.styled("x", "red", io.StringIO()) == "x"
    assert console.styled("x", "") == "x"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_forbidden(terminal, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    terminal()

    assert console.styled("x", "red") == "x"


def test_an_empty_no_color_forbids_nothing(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "")
    terminal()

    assert console.has_colour()


def test_marks_and_states():
    assert [console.mark(state) for state in ("success", "failed", "up_for_retry", "running")] == [
        "✓",
        "✗",
        "!",
        " ",
    ]
    assert console.state_text("success") == "success"


def test_results_and_notes_go_to_their_own_streams(capsys):
    console.out("result")
    console.note("note")

    seen = capsys.readouterr()
    assert (seen.out, seen.err) == ("result\n", "note\n")


def test_json_for_people_and_for_streams(capsys):
    console.emit_json({"a": "é"})
    console.emit_json({"a": [1]}, compact=True)

    pretty, compact = capsys.readouterr().out.split("}\n", 1)
    assert pretty == '{\n  "a": "é"\n'
    assert json.loads(compact) == {"a": [1]}
    assert compact.count("\n") == 1


def test_an_error_ends_with_the_sentence_and_the_next_move(capsys):
    console.show_error(NeighbourError("MLflow ended.", "airfoil logs mlflow", details=["last", "words"]))

    assert capsys.readouterr().err == "  last\n  words\nError: MLflow ended.\nairfoil logs mlflow\n"


def test_an_error_without_a_next_move_is_one_line(capsys):
    console.show_error(NeighbourError("MLflow ended."))

    assert capsys.readouterr().err == "Error: MLflow ended.\n"


def test_a_table_in_a_pipe_cuts_nothing_and_has_no_trailing_spaces(capsys):
    console.table(("DAG", "URL"), [("a", "http://x/" + "y" * 200), ("longer", "[bold]z")], right=("DAG",))

    assert capsys.readouterr().out == (f"   DAG  URL\n     a  http://x/{'y' * 200}\nlonger  [bold]z\n")


def test_ctrl_c_becomes_a_sentence():
    with pytest.raises(console.Interruption, match="goes on"), console.interruptible("It goes on."):
        raise KeyboardInterrupt
