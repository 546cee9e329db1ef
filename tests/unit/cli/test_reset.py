"""`airfoil reset` and `airfoil down --purge`: list, ask, remove."""

from __future__ import annotations

import io
import sys

import pytest

from airfoil.cli.context import Invocation
from airfoil.cli.entry import run_command_line

pytestmark = pytest.mark.unit


@pytest.fixture
def filled(project):
    """A project with something to remove."""
    project.airflow_database.write_bytes(b"x" * 3 * 2**20)
    project.mlflow_database.write_bytes(b"models")
    project.artifacts.joinpath("model.bin").write_bytes(b"model")
    return project


class Terminal(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self):
        return True


def answer(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)


@pytest.mark.parametrize("command", [("reset",), ("down", "--purge"), ("reset", "--keep-models")])
def test_without_a_terminal_and_without_yes_nothing_is_removed(airfoil, filled, stack, command):
    done = airfoil(*command)
    assert done.code == 1
    assert f"{filled.airflow_home}" in done.out
    assert "3.0 MiB" in done.out
    assert "no terminal to ask on" in done.err
    assert "--yes" in done.err
    assert filled.airflow_database.exists()
    assert stack.calls == [], "and nothing was stopped"


@pytest.mark.parametrize("text", ["\n", "n\n", "yess\n"])
def test_anything_but_a_yes_is_a_no(airfoil, filled, stack, monkeypatch, text):
    answer(monkeypatch, text)
    done = airfoil("reset")
    assert done.code == 1
    assert "Nothing was removed." in done.err
    assert filled.airflow_database.exists()
    assert stack.calls == []


def test_a_yes_stops_the_platform_and_removes(airfoil, filled, stack, a_state, monkeypatch):
    stack.state = a_state()
    answer(monkeypatch, "y\n")
    done = airfoil("reset")
    assert done.code == 0, done.err
    assert "it will be stopped first" in done.out
    assert stack.calls == ["down"]
    assert not filled.airflow_home.exists()
    assert not filled.mlflow_home.exists()
    assert filled.secrets.exists()


def test_a_server_as_target_does_not_run_here(filled, capsys, server_as_target):
    server_as_target(filled)
    code = run_command_line(["reset", "--yes"], invocation=Invocation())
    done = capsys.readouterr()
    assert code == 0, done.err
    assert "it will be stopped first" not in done.out
    assert not filled.airflow_home.exists()


def test_models_can_be_kept(airfoil, filled):
    done = airfoil("reset", "--keep-models", "--yes")
    assert done.code == 0, done.err
    assert not filled.airflow_database.exists()
    assert filled.mlflow_database.read_bytes() == b"models"
    assert "MLflow's database and artifacts stay" in done.out


def test_purge_removes_all_of_ours_and_nothing_else(airfoil, filled):
    mine = sorted(filled.root.iterdir())
    done = airfoil("down", "--purge", "--yes")
    assert done.code == 0, done.err
    assert not filled.state.exists()
    assert sorted(filled.root.iterdir()) == [path for path in mine if path != filled.state]
    again = airfoil("down", "--purge", "--yes")
    assert (again.code, again.out) == (0, "There is nothing to remove.\n")


def test_purge_works_with_settings_that_cannot_be_read(airfoil, filled):
    filled.toml.write_text("[airflow\n")
    assert airfoil("down", "--purge", "--yes").code == 0
    assert not filled.state.exists()
    assert airfoil("reset", "--yes").code == 1
