"""Where a passphrase comes from; never an argument."""

from __future__ import annotations

import getpass
import io
import sys

import pytest

from airfoil.cli import passphrases
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text("from the file\n")
    return path


def test_a_flag_wins_over_the_usual_variable_and_that_over_the_settings(file, monkeypatch, tmp_path):
    other = tmp_path / "other"
    other.write_text("from the settings")
    assert passphrases.known(str(other), None, None) == "from the settings"
    monkeypatch.setenv("AIRFOIL_BACKUP_PASSPHRASE", "from the usual one")
    monkeypatch.setenv("MINE", "from mine")
    assert passphrases.new(str(other), None, None) == "from the usual one"
    assert passphrases.new("", None, file) == "from the file"
    assert passphrases.known("", "MINE", None) == "from mine"


def test_without_any_and_without_a_terminal_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(ConfigurationError, match="no passphrase") as told:
        passphrases.new("", None, None)
    assert "AIRFOIL_BACKUP_PASSPHRASE" in told.value.next_move


def test_a_person_types_a_new_one_twice(monkeypatch):
    typed = iter(["one", "one", "one", "two", "three"])
    monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))
    monkeypatch.setattr(sys, "stdin", type("Terminal", (io.StringIO,), {"isatty": lambda _: True})())
    assert passphrases.new("", None, None) == "one"
    with pytest.raises(ConfigurationError, match="not the same"):
        passphrases.new("", None, None)
    assert passphrases.known("", None, None) == "three"
