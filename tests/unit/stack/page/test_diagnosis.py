from __future__ import annotations

import dataclasses

import pytest

from airfoil.stack.page import diagnosis
from airfoil.stack.page.facts import AirflowFacts, DagRun, ImportProblem, MlflowFacts

pytestmark = pytest.mark.unit


def say(state, known):
    found = diagnosis.problems(state, known)
    return diagnosis.headline(state, known, found), found


def dag_run(dag_id, state):
    return DagRun(dag_id, "r", state, "manual", 9000.0, 9010.0, f"http://127.0.0.1:8080/dags/{dag_id}/runs/r")


def test_a_healthy_stack_has_no_problem(stack, facts):
    head, found = say(stack(), facts(memory_mib={"scheduler": 100}))
    assert (head.level, head.text, head.note) == ("good", "Everything is running", "")
    assert found == ()


def test_no_stack(facts):
    head, found = say(None, facts())
    assert (head.level, head.text) == ("off", "Airfoil is not running")
    assert "airfoil up" in head.note
    assert found == ()


def test_a_service_that_was_given_up_is_named_with_its_reason_and_the_next_move(stack, change, facts):
    state = change(
        stack(phase="degraded"), "mlflow", state="failed", detail="it ended 5 times with exit code 1"
    )
    head, (problem,) = say(state, facts())
    assert (head.level, head.text) == ("bad", "MLflow is down")
    assert problem.severity == "error"
    assert problem.message == "MLflow is down: it ended 5 times with exit code 1."
    assert problem.next_move == "Read `airfoil logs mlflow`, then `airfoil up`."


def test_the_command_line_may_find_the_page_itself_down(stack, change, facts):
    head, (problem,) = say(change(stack(phase="failed"), "page", state="failed", detail="no port"), facts())
    assert head.text == "Status page is down"
    assert problem.message == "Status page is down: no port."


def test_two_and_more_services_down(stack, change, facts):
    state = change(stack(phase="degraded"), "mlflow scheduler", state="failed", detail="")
    head, (problem,) = say(state, facts())
    assert head.text == "Scheduler and MLflow are down"
    assert problem.message == "Scheduler and MLflow are down."
    assert problem.next_move == "Read `airfoil logs`, then `airfoil up`."
    state = change(state, "preload", state="failed")
    assert say(state, facts())[0].text == "2 of 3 services are down"


def test_everything_down_for_one_reason_is_one_problem(stack, change, facts):
    state = change(
        stack(phase="failed"), "preload api-server scheduler mlflow", state="failed", detail="no memory"
    )
    head, (problem,) = say(state, facts())
    assert (head.level, head.text) == ("bad", "Everything is down")
    assert problem.message == (
        "Pre-loaded parent, Airflow, Scheduler and MLflow are down, all for the same reason: no memory."
    )


def test_a_failed_job_is_a_failed_start(stack, change, facts):
    state = change(
        stack(phase="failed", ready_at=None), "setup", state="failed", detail="the database is locked"
    )
    state = change(state, "api-server scheduler", state="waiting")
    head, found = say(state, facts())
    assert head.text == "Database and connections is down"
    assert found[0].message == "A step of the start failed, Database and connections: the database is locked."


def test_starting_says_what_it_waits_for(stack, change, facts):
    state = change(stack(phase="starting", ready_at=None), "scheduler mlflow", state="starting")
    head, found = say(state, facts(now=9950.0))
    assert (head.level, head.text) == ("busy", "Starting up")
    assert head.note == "1 of 3 ready, waiting for Scheduler and MLflow."
    assert found == ()


@pytest.mark.parametrize("condition", ["restarting", "starting", "waiting"])
def test_restarting_after_the_start(stack, change, facts, condition):
    state = change(stack(phase="degraded"), "mlflow", state=condition, detail="it ended with signal 9")
    head, (problem,) = say(state, facts())
    assert (head.level, head.text) == ("busy", "MLflow is restarting")
    assert (problem.severity, problem.message) == (
        "warning",
        "MLflow ended and is being restarted: it ended with signal 9.",
    )


def test_unhealthy(stack, change, facts):
    state = change(stack(phase="degraded"), "scheduler", state="unhealthy", detail="no heartbeat for 40 s")
    head, (problem,) = say(state, facts())
    assert (head.level, head.text) == ("bad", "Scheduler is not healthy")
    assert problem.message == "Scheduler runs but is not healthy: no heartbeat for 40 s."


def test_stopping_and_stopped_are_no_problems(stack, change, facts):
    state = change(stack(phase="stopping"), "mlflow", state="stopped")
    assert say(state, facts())[0].text == "Stopping"
    state = change(stack(phase="stopped"), "api-server scheduler mlflow", state="stopped")
    head, found = say(state, facts(manager_alive=False))
    assert (head.level, head.text, found) == ("off", "Airfoil is stopped", ())


def test_a_manager_that_died_on_the_way_down_is_told(stack, change, facts):
    state = change(stack(phase="stopping"), "mlflow", state="stopped")
    head, found = say(state, facts(manager_alive=False))
    assert head.text == "MLflow is down"
    assert found[0].message.startswith("The manager has died while 2 services still run")


def test_a_dead_manager_while_services_run(stack, facts):
    head, (problem,) = say(stack(), facts(manager_alive=False))
    assert (head.level, head.text) == ("warning", "Running without its manager")
    assert (
        problem.message
        == "The manager has died while 3 services still run: nothing is restarted if it fails."
    )
    assert "airfoil up" in problem.next_move


def test_a_dead_manager_and_a_dead_service_that_state_json_calls_ready(stack, facts):
    head, found = say(stack(), facts(manager_alive=False, dead=frozenset({"mlflow", "setup"})))
    assert head.text == "MLflow is down"
    assert [problem.subject for problem in found] == ["stack", "mlflow"]
    assert found[1].message == "MLflow is stopped: its process is gone and there is no manager to restart it."
    assert found[1].next_move == "Start what is missing with `airfoil up`."


def test_a_dead_manager_and_nothing_left(stack, facts):
    dead = frozenset({"setup", "preload", "api-server", "scheduler", "mlflow"})
    head, (problem,) = say(stack(), facts(manager_alive=False, dead=dead))
    assert head.text == "Everything is down"
    assert problem.message == "The manager has died and no service runs any more."


def test_with_a_living_manager_a_process_that_just_died_is_the_managers_business(stack, facts):
    head, found = say(stack(), facts(dead=frozenset({"mlflow"})))
    assert head.text == "Everything is running"
    assert found == ()


def test_an_unreachable_airflow(stack, facts):
    known = facts(
        airflow=AirflowFacts(
            error="Airflow at http://x did not answer within 2 s", next_move="`airfoil status`"
        )
    )
    head, (problem,) = say(stack(), known)
    assert (head.level, head.text) == ("bad", "Trouble with Airflow")
    assert problem.message == "Airflow at http://x did not answer within 2 s."
    assert problem.next_move == "Read `airfoil logs api-server`, or let `airfoil doctor` look for the reason."


def test_a_neighbours_own_next_move_is_kept(stack, facts):
    known = facts(mlflow=MlflowFacts(error="secrets.json is empty.", next_move="Restore it from a backup."))
    assert say(stack(), known)[1][0].next_move == "Restore it from a backup."


def test_a_service_that_is_known_to_be_down_explains_its_silence_itself(stack, change, facts):
    state = change(stack(phase="degraded"), "api-server", state="failed", detail="x")
    known = facts(
        airflow=AirflowFacts(
            error="refused", import_errors=(ImportProblem("a.py", "b"),), runs=(dag_run("d", "failed"),)
        )
    )
    assert [problem.subject for problem in say(state, known)[1]] == ["api-server"]


def test_import_errors_are_named_by_file(stack, facts):
    problems = (
        ImportProblem("dags/a.py", "ModuleNotFoundError: No module named 'x'"),
        ImportProblem("dags/b.py", ""),
    )
    head, found = say(stack(), facts(airflow=AirflowFacts(import_errors=problems)))
    assert (head.level, head.text, head.note) == ("warning", "Everything is running", "2 things need a look.")
    assert found[0].message == "dags/a.py does not import: ModuleNotFoundError: No module named 'x'."
    assert found[1].message == "dags/b.py does not import."
    assert all(problem.next_move for problem in found)


def test_memory_over_budget(stack, facts):
    head, found = say(stack(), facts(memory_mib={"scheduler": 300.0, "mlflow": 800.0, "api-server": 150.0}))
    assert head.note == "2 things need a look."
    assert [problem.message for problem in found] == [
        "Scheduler takes 300 MiB, its budget is 180 MiB.",
        "The stack takes 1,250 MiB, the budget is 1,024 MiB; most of it is mlflow with 800 MiB.",
    ]
    assert "`scheduler_mib`" in found[0].next_move


@pytest.mark.parametrize(
    ("state", "seconds_ago", "count"), [("running", None, 0), ("success", 20, 0), ("success", 90, 1)]
)
def test_memory_is_judged_at_rest(state, seconds_ago, count, stack, facts):
    ended_at = None if seconds_ago is None else facts().now - seconds_ago
    run = dataclasses.replace(dag_run("d", state), ended_at=ended_at)
    known = facts(memory_mib={"scheduler": 300.0}, airflow=AirflowFacts(runs=(run,)))
    assert len(say(stack(), known)[1]) == count


def test_without_budgets_nothing_is_over(stack, facts):
    assert say(stack(budgets={}), facts(memory_mib={"mlflow": 99999.0}))[1] == ()


def test_a_slow_start_is_a_notice(stack, facts):
    head, (problem,) = say(stack(started_at=9000.0, ready_at=9075.0), facts())
    assert (head.level, problem.severity) == ("good", "notice")
    assert problem.message == "The start took 1 min 15 s, the budget is 1 min."


def test_a_start_that_takes_too_long_says_so_while_it_lasts(stack, change, facts):
    state = change(stack(phase="starting", started_at=9900.0, ready_at=None), "mlflow", state="starting")
    assert say(state, facts())[1][0].message == "The start has taken 1 min 40 s, the budget is 1 min."


def test_frequent_restarts_and_the_managers_notices(stack, change, facts):
    state = change(stack(notices=("MLflow 3.99 is not tested",)), "scheduler", restarts=3)
    head, found = say(state, facts())
    assert [problem.message for problem in found] == [
        "MLflow 3.99 is not tested.",
        "Scheduler has been restarted 3 times since the start.",
    ]
    assert head.note == "1 thing needs a look."


def test_only_the_newest_run_of_a_dag_counts(stack, facts):
    runs = (
        dag_run("mended", "success"),
        dag_run("broken", "failed"),
        dag_run("mended", "failed"),
        dag_run("broken", "failed"),
    )
    head, (problem,) = say(stack(), facts(airflow=AirflowFacts(runs=runs)))
    assert (problem.severity, problem.message) == ("notice", "The last run of broken failed.")
    assert problem.url.endswith("/dags/broken/runs/r")
    assert head.level == "good"


def test_the_worst_comes_first(stack, change, facts):
    state = change(stack(phase="degraded"), "mlflow", state="failed")
    state = change(state, "scheduler", restarts=9)
    known = facts(airflow=AirflowFacts(import_errors=(ImportProblem("a.py", ""),)))
    assert [problem.severity for problem in say(state, known)[1]] == ["error", "warning", "notice"]
