from __future__ import annotations

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

from airfoil.clients.run_keys import RunKey
from airfoil.errors import ServiceUnreachableError
from airfoil.provider.run_context import AirflowRunContext

pytestmark = pytest.mark.unit

TI = SimpleNamespace(
    dag_id="d",
    run_id="r",
    task_id="t",
    map_index=2,
    try_number=3,
    log_url="http://localhost:8080/dags/d/runs/r/tasks/t/mapped/2?try_number=3",
)
NAMES = RunKey("d", "r", "t", 2).tags()


class Parents:
    def __init__(self, answer="p"):
        self.answer = answer
        self.asked = []

    def find(self, key, tags):
        self.asked.append(key)
        assert tags == {"airflow.url": "http://localhost:8080/dags/d/runs/r"}
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def in_task(monkeypatch):
    """Make Airflow say that this task is executed."""

    def be(ti=TI):
        monkeypatch.setattr("airflow.sdk.get_current_context", lambda: {"ti": ti})

    be()
    return be


def test_only_a_process_that_runs_tasks_is_its_context(monkeypatch):
    runner = ModuleType("airflow.sdk.execution_time.task_runner")
    monkeypatch.setitem(sys.modules, runner.__name__, runner)
    assert not AirflowRunContext().in_context()
    runner.SUPERVISOR_COMMS = object()
    assert AirflowRunContext().in_context()
    monkeypatch.delitem(sys.modules, runner.__name__)
    assert not AirflowRunContext().in_context()


def test_a_run_gets_airflows_names_and_its_place(in_task):
    parents = Parents()
    assert AirflowRunContext(parents).tags() == {
        **NAMES,
        "airflow.try_number": "3",
        "airflow.url": TI.log_url,
        "mlflow.parentRunId": "p",
    }
    assert parents.asked == [RunKey("d", "r", "t", 2)]


def test_a_task_that_is_not_mapped_has_no_place_in_a_list(in_task):
    in_task(SimpleNamespace(**{**vars(TI), "map_index": None}))
    assert AirflowRunContext(Parents()).tags()["airflow.map_index"] == "-1"


def test_where_there_is_no_parent_the_names_are_given_all_the_same(in_task):
    assert "mlflow.parentRunId" not in AirflowRunContext(Parents("")).tags()


def test_what_fails_costs_the_place_and_one_line(in_task, caplog):
    context = AirflowRunContext(Parents(ServiceUnreachableError("MLflow cannot be reached")))
    for _ in range(3):
        assert context.tags() == {**NAMES, "airflow.try_number": "3", "airflow.url": TI.log_url}
    assert len([record for record in caplog.records if "is not placed" in record.getMessage()]) == 1


def test_an_airflow_that_is_not_as_we_know_it_breaks_nothing(in_task):
    in_task(SimpleNamespace())
    assert AirflowRunContext(Parents()).tags() == {}


def test_outside_of_a_task_there_are_no_tags():
    assert AirflowRunContext(Parents()).tags() == {}


def test_mlflow_finds_it_and_importing_it_costs_nothing():
    code = (
        "import sys; import airfoil.provider.run_context as module\n"
        "context = module.AirflowRunContext()\n"
        "print('LOADED', context.in_context(), *sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    inside, *loaded = said.rpartition("LOADED")[2].split()
    assert inside == "False"
    assert {name.partition(".")[0] for name in loaded} & {"airflow", "httpx", "mlflow", "pydantic"} == set()


def test_what_the_user_sets_wins(in_task, monkeypatch):
    registry = pytest.importorskip("mlflow.tracking.context.registry")
    context = AirflowRunContext(Parents())
    monkeypatch.setattr(context, "in_context", lambda: True)
    monkeypatch.setattr(registry._run_context_provider_registry, "_registry", [context])
    tags = registry.resolve_tags({"mlflow.parentRunId": "inner"})
    assert tags["mlflow.parentRunId"] == "inner"
    assert tags["airflow.task_id"] == "t"
