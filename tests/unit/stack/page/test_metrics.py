from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from airfoil.stack.page import metrics

pytestmark = pytest.mark.unit


def samples(state, known):
    found = {}
    for family in text_string_to_metric_families(metrics.exposition(state, known).decode()):
        assert family.documentation
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def of(name):
    return (("service", name),)


def test_a_healthy_stack(stack, change, facts):
    state = change(stack(), "scheduler", restarts=2)
    found = samples(state, facts(memory_mib={"scheduler": 92.5, "manager": 10.0}))
    assert found["airfoil_stack_ready", ()] == 1
    assert found["airfoil_stack_manager_up", ()] == 1
    assert found["airfoil_service_up", of("mlflow")] == 1
    assert found["airfoil_service_up", of("setup")] == 1
    assert found["airfoil_service_restarts_total", of("scheduler")] == 2
    assert found["airfoil_service_memory_bytes", of("scheduler")] == 92.5 * 1024 * 1024
    assert found["airfoil_service_memory_budget_bytes", of("scheduler")] == 180 * 1024 * 1024
    assert ("airfoil_service_memory_bytes", of("manager")) not in found
    assert found["airfoil_stack_memory_bytes", ()] == 102.5 * 1024 * 1024
    assert found["airfoil_stack_memory_budget_bytes", ()] == 1024 * 1024 * 1024
    assert found["airfoil_service_state_seconds", of("mlflow")] == 60
    assert found["airfoil_stack_start_seconds", ()] == 10
    assert found["airfoil_stack_start_budget_seconds", ()] == 60
    assert found["airfoil_service_state", (("airfoil_service_state", "ready"), ("service", "mlflow"))] == 1
    assert found["airfoil_service_state", (("airfoil_service_state", "failed"), ("service", "mlflow"))] == 0
    assert found["airfoil_stack_problems", (("severity", "error"),)] == 0


def test_a_service_down(stack, change, facts):
    found = samples(change(stack(phase="degraded"), "mlflow", state="failed"), facts())
    assert found["airfoil_stack_ready", ()] == 0
    assert found["airfoil_service_up", of("mlflow")] == 0
    assert found["airfoil_stack_problems", (("severity", "error"),)] == 1


def test_a_dead_manager_makes_its_last_words_worthless(stack, facts):
    found = samples(stack(), facts(manager_alive=False, dead=frozenset({"mlflow"})))
    assert found["airfoil_stack_ready", ()] == 0
    assert found["airfoil_stack_manager_up", ()] == 0
    assert found["airfoil_service_up", of("mlflow")] == 0
    assert found["airfoil_service_up", of("scheduler")] == 1


def test_no_stack_is_not_ready(facts):
    found = samples(None, facts(manager_alive=False))
    assert found == {("airfoil_stack_ready", ()): 0, ("airfoil_stack_manager_up", ()): 0}


def test_nothing_of_the_pages_own_process_is_mixed_in(stack, facts):
    names = {name for name, _ in samples(stack(), facts())}
    assert all(name.startswith("airfoil_") for name in names)


def test_odd_names_are_quoted(stack, change, facts):
    found = samples(change(stack(), "mlflow", name='a"b\\c\nd'), facts())
    assert found["airfoil_service_up", of('a"b\\c\nd')] == 1


def test_the_last_backup_is_told_once_there_was_one(stack, facts):
    name = ("airfoil_backup_completed_timestamp_seconds", ())
    assert name not in samples(stack(), facts())
    assert samples(stack(), facts(backup_at=1795359600.0))[name] == 1795359600.0
