import pytest

from airfoil.runtime.here import trace

pytestmark = pytest.mark.unit

AIRFLOW = "/venv/lib/python3.11/site-packages/airflow/sdk/task_runner.py"
DAG = "/home/me/shop/dags/shop.py"
LIBRARY = "/venv/lib/python3.11/site-packages/pandas/core.py"


def caught(source_by_file):
    """Raise through functions that seem to stand in these files: [(file, source), ...], the first calls the next."""
    namespace = {}
    for file, source in reversed(source_by_file):
        exec(compile(source, file, "exec"), namespace)  # noqa: S102 - frames of files that do not exist here
    try:
        namespace["start"]()
    except BaseException as error:  # noqa: BLE001 - whatever it raises
        return error.with_traceback(error.__traceback__.tb_next)
    raise AssertionError


FAILING = "def user():\n    try:\n        {}['x']\n    except KeyError as e:\n        raise ValueError('no x') from e\n"


def test_the_machinery_is_left_out_and_the_cause_stays():
    error = caught([(AIRFLOW, "def start():\n    user()\n"), (DAG, FAILING)])

    text = trace.user_traceback(error)

    assert AIRFLOW not in text
    assert text.count(DAG) == 2
    assert text.startswith("Traceback (most recent call last):")
    assert "KeyError: 'x'\n\nThe above exception was the direct cause" in text
    assert text.endswith("ValueError: no x")


def test_libraries_that_one_called_stay():
    error = caught(
        [
            (AIRFLOW, "def start():\n    user()\n"),
            (DAG, "def user():\n    read()\n"),
            (LIBRARY, "def read():\n    1 / 0\n"),
        ]
    )

    text = trace.user_traceback(error)

    assert DAG in text
    assert LIBRARY in text
    assert AIRFLOW not in text


def test_an_error_of_the_machinery_alone_keeps_the_frame_that_raised_it():
    error = caught([(AIRFLOW, "def start():\n    inner()\n"), (AIRFLOW, "def inner():\n    1 / 0\n")])

    text = trace.user_traceback(error)

    assert "in inner" in text
    assert "in start" not in text


def test_a_circle_of_contexts_ends():
    error = caught([(DAG, FAILING.replace("user", "start"))])
    error.__cause__.__cause__ = error

    assert "no x" in trace.user_traceback(error)


def test_a_debugger_begins_in_ones_own_code():
    error = caught([(AIRFLOW, "def start():\n    user()\n"), (DAG, FAILING)])

    assert trace.user_frames(error).tb_frame.f_code.co_name == "user"


def test_without_own_code_a_debugger_begins_at_the_beginning():
    error = caught([(AIRFLOW, "def start():\n    1 / 0\n")])

    assert trace.user_frames(error) is error.__traceback__
    assert trace.user_frames(ValueError("never raised")) is None
