from pathlib import Path

import pytest

from airfoil.stack.task_failure import SIGNALLED, failure, is_own

pytestmark = pytest.mark.unit

ROOT = Path("/home/me/shop")
LIBRARY = "/home/me/shop/.venv/lib/python3.11/site-packages/pandas/core.py"


def frame(file, line, name="f"):
    return {"filename": file, "lineno": line, "name": name}


def raised(*errors, event="Task failed with exception", **values):
    return {"event": event, "level": "error", "error_detail": list(errors), "timestamp": "T", **values}


def error(name="ValueError", value="bad", *frames, **more):
    return {"exc_type": name, "exc_value": value, "frames": list(frames), **more}


def test_the_last_line_of_ones_own_code_is_the_place_not_the_library_below_it():
    frames = [
        frame("/venv/site-packages/airflow/run.py", 1),
        frame(f"{ROOT}/dags/shop.py", 12, "train"),
        frame(f"{ROOT}/src/shop/features.py", 3, "load"),
        frame(LIBRARY, 99, "read"),
    ]

    found = failure([raised(error("KeyError", "'price'", *frames))], ROOT)

    assert (found.error, str(found.place), found.causes) == (
        "KeyError: 'price'",
        "src/shop/features.py, line 3, in load",
        (),
    )
    assert found.at == "T"


def test_what_caused_it_is_told_with_its_own_place():
    late = error("ValueError", "no price", frame(f"{ROOT}/dags/shop.py", 12, "train"))
    early = error("KeyError", "'price'", frame(f"{ROOT}/dags/shop.py", 10, "train"))

    found = failure([raised(late, early, error("OSError", ""))], ROOT)

    assert str(found.place) == "dags/shop.py, line 12, in train"
    assert found.causes == ("KeyError: 'price' (dags/shop.py, line 10, in train)", "OSError")


def test_an_error_outside_ones_own_code_takes_its_place_from_the_cause():
    late = error("RuntimeError", "wrapped", frame(LIBRARY, 5))
    early = error("KeyError", "'x'", frame(f"{ROOT}/dags/shop.py", 7, "<lambda>"))

    assert str(failure([raised(late, early)], ROOT).place) == "dags/shop.py, line 7, in lambda"


def test_a_syntax_error_in_a_helper_names_the_line_that_is_wrong():
    wrong = {"filename": f"{ROOT}/src/shop/features.py", "lineno": 4, "msg": "invalid syntax"}
    one = error("SyntaxError", "invalid syntax", frame(f"{ROOT}/dags/shop.py", 9), syntax_error=wrong)

    assert str(failure([raised(one)], ROOT).place) == "src/shop/features.py, line 4"


def test_a_timeout_says_what_ran_out():
    one = error("AirflowTaskTimeout", "Timeout, PID: 7", frame(f"{ROOT}/dags/shop.py", 9, "slow"))

    found = failure([raised(one)], ROOT)

    assert found.error == "AirflowTaskTimeout: it ran longer than its execution_timeout"
    assert str(found.place) == "dags/shop.py, line 9, in slow"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"event": f"{SIGNALLED} Likely", "signal": -9, "signal_name": "SIGKILL"}, "memory runs out"),
        ({"event": f"{SIGNALLED} For ...", "signal": -15, "signal_name": "SIGTERM"}, "ended by SIGTERM"),
        ({"event": "Process exited abnormally", "exit_code": 3}, "exit code 3"),
        ({"event": "\n***  SIGSEGV: a segmentation fault"}, "crashed"),
        ({"event": "Dag not found during start up", "path": "shop.py"}, "in shop.py any more"),
    ],
)  # fmt: skip
def test_a_process_that_could_not_speak_for_itself(entry, words):
    found = failure([{"event": "loading"}, entry], ROOT)

    assert words in found.error
    assert found.place is None


def test_an_exception_that_was_only_logged_is_not_why_a_task_was_killed():
    logged = raised(error("KeyError", "'x'"), event="retrying")
    killed = {"event": "Process terminated by signal. Likely", "signal": -9, "signal_name": "SIGKILL"}

    assert "SIGKILL" in failure([logged, killed], ROOT).error


def test_a_file_that_does_not_import_is_why_its_task_was_not_found():
    broken = raised(error("ImportError", "no module x"), event="Failed to import: /home/me/shop/dags/shop.py")

    assert (
        failure([broken, {"event": "Dag not found during start up"}], ROOT).error
        == "ImportError: no module x"
    )


def test_a_failing_callback_afterwards_does_not_hide_the_failure():
    after = raised(error("OSError", "mail"), event="Failed to run task callback")

    assert failure([raised(error()), after], ROOT).error == "ValueError: bad"


def test_only_the_first_line_of_a_long_text_is_the_headline():
    assert failure([raised(error("ValueError", "first\nsecond"))], ROOT).error == "ValueError: first ..."


@pytest.mark.parametrize(
    "entries", [[], ["text"], [{"event": "all is well"}], [{"error_detail": "odd"}], [{"error_detail": []}]]
)
def test_a_log_that_does_not_say(entries):
    assert failure(entries, ROOT) is None


def test_odd_frames_are_no_place():
    assert failure([raised({"exc_type": None, "frames": ["x", {}]})], ROOT).place is None


def test_whose_file_it_is():
    assert is_own("/home/me/shop/dags/a.py", ROOT)
    assert not is_own(LIBRARY, ROOT)
    assert not is_own("/home/me/shopping/a.py", ROOT)
    assert not is_own("<string>", ROOT)
