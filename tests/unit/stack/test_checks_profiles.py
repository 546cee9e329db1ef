"""Doctor on profiles, pools and Airflow's own options."""

import pytest

from airfoil.stack.checks_profiles import check_airflow_options, check_profiles

pytestmark = pytest.mark.unit


def bad(world, check):
    return world.bad(check(world.case))


def test_nothing_set_is_nothing_wrong(world):
    assert [finding.message for finding in check_profiles(world.case)] == ["Profiles: default."]
    assert [finding.message for finding in check_airflow_options(world.case)] == [
        "0 options of Airflow's own are passed on."
    ]


def test_an_option_that_looks_mistyped_is_told_its_nearest(world):
    world.settings(
        "[airflow.core]\nmax_active_runs_per_dga = 4\nmax_active_runs_per_dag = 4\n"
        "quite_new = 1\n[airflow.acme]\nx = 1\n[airflow.cores]\nx = 1\n"
    )
    found = list(check_airflow_options(world.case))
    assert [(one.message, one.fix) for one in found if one.level == "warn"] == [
        (
            "Airflow has no option max_active_runs_per_dga in [airflow.core].",
            "Did you mean [airflow.core] max_active_runs_per_dag?",
        ),
        ("Airflow has no option x in [airflow.cores].", "Did you mean [airflow.core] x?"),
    ]


def test_a_pool_that_is_not_defined_is_said_with_its_size(world):
    world.settings("[profiles.a]\npool = 'api'\n[profiles.b]\ngpu = 1\n")
    assert bad(world, check_profiles) == [
        ("warn", "The pool api is named by a profile and not defined; it has 4 slots.")
    ]


def test_a_task_that_wants_more_slots_than_there_are_never_starts(world):
    world.settings("[profiles.a]\ngpu = 1\npool_slots = 2\n[pools]\ngpu = 1\nclosed = 0\nopen = -1\n")
    ((level, message),) = bad(world, check_profiles)
    assert level == "error"
    assert message == "A task with the profile a takes 2 slots of the pool gpu, which has 1: it never starts."
    world.settings("[profiles.a]\npool = 'closed'\n[pools]\nclosed = 0\n")
    assert "which has 0: it never starts" in bad(world, check_profiles)[0][1]
    world.settings("[profiles.a]\npool = 'open'\npool_slots = 50\n[pools]\nopen = -1\n")
    assert bad(world, check_profiles) == []


def test_an_environment_that_is_not_there(world):
    world.settings("[profiles.a]\nenvironment = 'heavy'\n")
    ((level, message),) = bad(world, check_profiles)
    assert level == "error"
    assert "The profile a names the environment heavy, and there is no" in message
    python = world.project.environment_python("heavy")
    python.parent.mkdir(parents=True)
    python.write_text("")
    python.chmod(0o755)
    assert bad(world, check_profiles) == []


def test_an_executor_that_is_elsewhere_is_no_fault_and_is_said(world):
    world.settings(
        "[airflow.core]\nexecutor = 'LocalExecutor,k8s:KubernetesExecutor,my.pack.BigExecutor'\n"
        "[profiles.a]\nexecutor = 'k8s'\n[profiles.b]\nexecutor = 'BigExecutor'\n"
        "[profiles.c]\nexecutor = 'CeleryExecutor'\n"
    )
    assert bad(world, check_profiles) == []
    said = [finding.message for finding in check_profiles(world.case) if "not configured" in finding.message]
    assert said == [
        "The executor CeleryExecutor of the profile c is not configured here: its tasks run on the default one."
    ]


def test_beside_an_airflow_that_is_not_ours_they_have_no_effect(world):
    world.settings("[airflow]\nurl = 'http://h:8080'\n[airflow.core]\na = 1\n[profiles.a]\npool = 'x'\n")
    for check in (check_profiles, check_airflow_options):
        ((level, message),) = bad(world, check)
        assert level == "warn"
        assert "no effect: airflow.url names an Airflow that is configured elsewhere" in message
