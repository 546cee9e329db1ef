import re

import pytest

from airfoil.cli import console, waiting

pytestmark = pytest.mark.unit


def test_a_wait_is_a_line_where_nobody_watches(capsys):
    with waiting.shown("Locking 2 packages"):
        assert capsys.readouterr().err == "Locking 2 packages ...\n"
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_it_ends_as_a_line_with_its_seconds(capsys, monkeypatch):
    monkeypatch.setattr(console, "is_terminal", lambda _stream=None: True)
    monkeypatch.setattr(waiting, "WORTH_SAYING_SECONDS", 0)

    with waiting.shown("Locking [1] package"):
        pass

    assert re.fullmatch(r"Locking \[1\] package \(\d\.\d s\)\n", capsys.readouterr().err)


def test_what_failed_is_not_said_to_be_done(capsys, monkeypatch):
    monkeypatch.setattr(console, "is_terminal", lambda _stream=None: True)
    with pytest.raises(ValueError, match="no"), waiting.shown("Locking"):
        raise ValueError("no")
    assert capsys.readouterr().err == ""
