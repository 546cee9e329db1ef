import pytest

from airfoil.stack import task_log

pytestmark = pytest.mark.unit


def test_time_level_and_text_without_what_is_the_same_in_every_line():
    entry = {
        "timestamp": "2026-11-20T12:39:03.123456Z",
        "level": "info",
        "event": "Trained",
        "rows": 150,
        "task_id": "train",
        "map_index": -1,
        "logger": "task.stdout",
    }

    assert task_log.lines([entry]) == ["2026-11-20 12:39:03 INFO    Trained rows=150"]


def test_lines_that_airflow_could_not_parse_stay_as_they_are():
    assert task_log.lines(["plain", "", 7, {"event": "no time"}]) == ["plain", "", "7", "no time"]


def test_several_lines_in_one_entry():
    assert task_log.lines([{"event": "a\nb"}, {"event": ""}]) == ["a", "b", ""]


def test_groups_keep_their_title_and_sources_vanish():
    content = [
        {"event": "::group::Log message source details"},
        {"event": "/srv/logs/attempt=1.log"},
        {"event": "::endgroup::"},
        {"event": "::group::Pre Execute", "level": "info"},
        {"event": "inside"},
        {"event": "::endgroup::"},
    ]

    assert task_log.lines(content) == ["INFO    Pre Execute", "inside"]


def test_a_traceback_shows_the_persons_own_lines():
    airflow = "/venv/lib/python3.11/site-packages/airflow/sdk/task_runner.py"
    frames = [
        {"filename": airflow, "lineno": 1, "name": "run"},
        {"filename": airflow, "lineno": 2, "name": "wrapper"},
        {"filename": "/home/me/dags/shop.py", "lineno": 10, "name": "train"},
        {"filename": airflow, "lineno": 3, "name": "hook"},
    ]
    error = {
        "exc_type": "ValueError",
        "exc_value": "three is\ntoo much",
        "exc_notes": ["try two"],
        "frames": frames,
    }

    assert task_log.lines([{"event": "Task failed", "error_detail": [error]}]) == [
        "Task failed",
        "Traceback (most recent call last):",
        "  ... 2 frames inside Airflow",
        '  File "/home/me/dags/shop.py", line 10, in train',
        "  ... 1 frame inside Airflow",
        "ValueError: three is",
        "too much",
        "try two",
    ]


def test_the_cause_comes_first():
    detail = [
        {"exc_type": "RuntimeError", "exc_value": "late"},
        {"exc_type": "KeyError", "exc_value": ""},
        "odd",
    ]

    assert task_log.lines([{"event": "x", "error_detail": detail}]) == ["x", "KeyError", "RuntimeError: late"]


def test_odd_details_are_left_out():
    assert task_log.lines([{"event": "x", "error_detail": "text"}]) == ["x"]
    odd = [{"exc_type": "E", "exc_value": None, "frames": ["x"]}]
    assert task_log.lines([{"event": "x", "error_detail": odd}]) == ["x", "E"]
