import os

import pytest

from airfoil.cli.failure_story import FailureStory
from airfoil.cli.follow import TaskView
from airfoil.errors import ServiceAnswerError

pytestmark = pytest.mark.unit

TASK = TaskView("train", -1, "failed", 2, 1.0)


class Logs:
    """An Airflow that knows one log."""

    def __init__(self, *entries, error=None):
        self.entries = list(entries)
        self.error = error

    def log_entries(self, *_):
        if self.error:
            raise self.error
        return self.entries


def patience(ask):
    return ask()


def failed_at(file, line, at="2100-01-01T00:00:00Z"):
    frames = [{"filename": str(file), "lineno": line, "name": "train"}]
    detail = [
        {"exc_type": "ValueError", "exc_value": "bad", "frames": frames},
        {"exc_type": "KeyError", "exc_value": "'x'"},
    ]
    return {"event": "Task failed with exception", "timestamp": at, "error_detail": detail}


@pytest.fixture
def code(tmp_path):
    file = tmp_path / "dags" / "shop.py"
    file.parent.mkdir()
    file.write_text("def train():\n    raise ValueError('bad')\n")
    return file


def test_error_line_text_and_cause_stand_before_the_log(tmp_path, code, capsys):
    FailureStory(Logs(failed_at(code, 2)), patience, tmp_path).tell("shop", "r", [TASK], "http://a")

    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [
        "",
        "✗ shop.train: ValueError: bad",
        "  dags/shop.py, line 2, in train",
        "    raise ValueError('bad')",
        "  caused by KeyError: 'x'",
        "Last lines of shop.train (try 2):",
    ]
    assert lines[-1] == "All of it: airfoil logs shop.train"


def test_a_line_of_a_file_that_was_changed_since_is_not_shown(tmp_path, code):
    os.utime(code, (2_000_000_000, 2_000_000_000))
    story = FailureStory(Logs(), patience, tmp_path)

    assert story.headline("shop.train", [failed_at(code, 2, "2026-01-01T00:00:00Z")])[1:3] == [
        "  dags/shop.py, line 2, in train",
        "  caused by KeyError: 'x'",
    ]


def test_a_file_that_is_gone(tmp_path):
    story = FailureStory(Logs(), patience, tmp_path)

    assert len(story.headline("shop.train", [failed_at(tmp_path / "gone.py", 2)])) == 3


def test_one_line_for_a_list(tmp_path, code):
    story = FailureStory(Logs(failed_at(code, 2)), patience, tmp_path)

    assert story.reason("shop", "r", TASK) == "ValueError: bad (dags/shop.py, line 2, in train)"
    assert FailureStory(Logs({"event": "x"}), patience, tmp_path).reason("shop", "r", TASK) == ""
    killed = {"event": "Process exited abnormally", "exit_code": 1}
    assert FailureStory(Logs(killed), patience, tmp_path).reason("shop", "r", TASK).endswith("exit code 1")


def test_a_log_that_cannot_be_read(tmp_path, capsys):
    FailureStory(Logs(error=ServiceAnswerError("gone.")), patience, tmp_path).tell("shop", "r", [TASK], "u")

    assert "(the log cannot be read: gone.)" in capsys.readouterr().out
