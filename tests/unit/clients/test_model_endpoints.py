"""A fresh process is asked, answers, fails, hangs or dies; each is told for what it is."""

from __future__ import annotations

import json
import sys

import pytest

from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_endpoints import ANSWER, MODULE, FreshProcess, Predictions
from airfoil.errors import InternalError, NotFoundError, ServiceUnreachableError

pytestmark = pytest.mark.unit
SERVER = MlflowServer("http://mlflow.test:5000", username="ana", password="g3heim")
SAID = Predictions(
    model="iris", alias="champion", version=2, predictions=(0, 1), load_seconds=0.5, latency_ms=(1.0,)
)


def process(script, **given):
    return FreshProcess(SERVER, command=(sys.executable, "-S", "-c", script), **given)


def ask(script, **given):
    return process(script, **given).predict("iris", "champion", [{"x": 1.5}], alone=1)


def test_the_question_goes_over_the_input_and_the_answer_comes_among_other_lines():
    script = (
        "import json, sys\n"
        "asked = json.loads(sys.stdin.read())\n"
        "assert asked['server']['password'] == 'g3heim' and 'g3heim' not in ' '.join(sys.argv)\n"
        "assert asked['rows'] == [{'x': 1.5}] and asked['alone'] == 1 and asked['model'] == 'iris'\n"
        f"print('a warning'); print({ANSWER!r} + {json.dumps({'answer': SAID.to_json()})!r})"
    )
    assert ask(script) == SAID


def test_an_error_of_ours_is_raised_as_what_it_was():
    told = {
        "error": {"kind": "NotFoundError", "message": "There is no model iris@champion", "next_move": "Look."}
    }
    with pytest.raises(NotFoundError, match="There is no model") as raised:
        ask(f"print({ANSWER + json.dumps(told)!r})")
    assert raised.value.next_move == "Look."
    strange = {"error": {"kind": "SystemExit", "message": "odd"}}
    with pytest.raises(InternalError, match="odd"):
        ask(f"print({ANSWER + json.dumps(strange)!r})")


def test_a_process_that_dies_leaves_its_last_words():
    with pytest.raises(InternalError, match=r"ended with code 3: no memory"):
        ask("import sys; print('no memory', file=sys.stderr); sys.exit(3)")


def test_a_process_that_hangs_is_given_up():
    with pytest.raises(ServiceUnreachableError, match=r"iris@champion did not answer within 0\.2 s"):
        ask("import time; time.sleep(60)", patience_seconds=0.2)


def test_it_runs_the_module_that_loads_models_and_shows_no_password():
    assert FreshProcess(SERVER).command == (sys.executable, "-m", MODULE)
    assert FreshProcess(SERVER).name == "a fresh process"
    assert "g3heim" not in repr(FreshProcess(SERVER))
