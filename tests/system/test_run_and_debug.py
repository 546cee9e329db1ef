"""The day on which a DAG does not work at once: a failure is read, mended, retried, looked at with a debugger."""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
import time

import pytest
from tests.system.platforms import AIRFOIL, fetch, wait_until
from tests.system.terminal import Terminal
from tests.system.workshop import BENCH, furnish, ledger

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

NO_TABLES = "RuntimeError: Direct database access via the ORM is not allowed in Airflow 3.0"


@pytest.fixture(scope="module")
def desk(make_platform):
    """Make a platform with DAGs to debug."""
    platform = make_platform({"airflow": {"parallelism": 6}})
    furnish(platform)
    return platform


@pytest.fixture
def workshop(desk):
    """Give the platform, running, with an empty ledger and nothing mended."""
    desk.up()
    for name in ("workshop.txt", "mended", "tables"):
        (desk.root / name).unlink(missing_ok=True)
    return desk


def runs_of(platform, dag_id):
    with platform.airflow() as airflow:
        return [row["dag_run_id"] for row in airflow.runs(dag_id, {"order_by": "id"})]


# -- a failed run


def test_a_failure_is_read_mended_and_retried_with_the_command_it_printed(workshop):
    failed = workshop.run("run", "shop")

    assert failed.code == 1
    assert "✗ shop.train: ValueError: no price in the data\n  dags/shop.py, line " in failed.out
    assert '    raise ValueError("no price in the data") from error\n' in failed.out
    assert "  caused by KeyError: 'price' (dags/shop.py, line " in failed.out
    assert f"  Airflow  {workshop.url('api-server')}/dags/shop/runs/" in failed.out
    command = failed.out.partition("  Retry    airfoil ")[2].splitlines()[0]
    assert ledger(workshop.root) == ["load", "train"]

    (workshop.root / "mended").touch()
    mended = workshop.run(*shlex.split(command))

    assert mended.code == 0, mended.said
    assert ledger(workshop.root) == ["load", "train", "train", "report"]
    print(f"failed run {failed.seconds:.1f} s, retry {mended.seconds:.1f} s")

    again = workshop.run("retry", "shop", "--from", "train", "--json")
    assert again.code == 0, again.said
    assert json.loads(again.out)["run_id"] == command.split()[-1]
    assert ledger(workshop.root)[4:] == ["train", "report"]

    nothing = workshop.run(*shlex.split(command))
    assert nothing.code == 1
    assert "Nothing to retry: no task failed in the run" in nothing.err


def test_every_way_to_fail_reads_well(workshop):
    done = workshop.run("run", "faults")

    assert done.code == 1
    for sentence in (
        "✗ faults.misspelled: SyntaxError: expected ':'",
        "  src/broken_bench.py, line 2\n    def double(number)\n",
        "✗ faults.killed: The system ended the task (SIGKILL), as it does when memory runs out\n",
        "✗ faults.slow: AirflowTaskTimeout: it ran longer than its execution_timeout\n  dags/faults.py, line ",
        "    time.sleep(60)\n",
        "✗ faults.exits: The task's process ended by itself with exit code 3\n",
        "✗ faults.deep: ZeroDivisionError: division by zero\n  src/bench.py, line 9, in divide\n",
    ):
        assert sentence in done.out, sentence


# -- dates


def test_a_range_of_dates_is_a_backfill_with_one_line_for_each_run(workshop):
    began = ("run", "daily", "--from", "2026-02-01", "--to", "2026-02-04")
    first = workshop.run(*began)

    assert first.code == 1, first.said
    assert "4 runs of daily, 2026-02-01 to 2026-02-04 (UTC):\n" in first.out
    assert "✗ 2026-02-03        failed" in first.out
    assert "    ✗ work: RuntimeError: the third is bad (dags/daily.py, line " in first.out
    assert "✗ daily: 3 of 4 runs succeeded\n" in first.out

    command = first.out.partition("  Retry    airfoil ")[2].splitlines()[0]
    again = workshop.run(*shlex.split(command))
    assert again.code == 1, again.said
    assert "RuntimeError: the third is bad" in again.out

    (workshop.root / "mended").touch()
    repeated = workshop.run(*began, "--reprocess", "failed", "--json")
    assert repeated.code == 0, repeated.said
    found = json.loads(repeated.out)
    assert (found["left_alone"], [run["logical_date"] for run in found["runs"]]) == (
        3,
        ["2026-02-03T00:00:00Z"],
    )
    assert workshop.run(*began).out.endswith("Nothing to run for daily.\n")
    print(f"4 dates {first.seconds:.1f} s, 1 of them again {repeated.seconds:.1f} s")


def test_many_runs_are_not_started_unasked_and_a_date_runs_once(workshop):
    many = workshop.run("run", "daily", "--from", "2026-03-01", "--to", "2026-04-30")
    assert many.code == 1
    assert "That would be 61 runs of daily.\nAdd --yes" in many.err

    assert workshop.run("run", "daily", "--date", "2026-05-05").code == 0
    twice = workshop.run("run", "daily", "--date", "2026-05-05")
    assert twice.code == 1
    assert "daily ran for 2026-05-05 already: success" in twice.err
    again = workshop.run("run", "daily", "--date", "2026-05-05", "--reprocess", "completed")
    assert again.code == 0, again.said
    assert ledger(workshop.root, daily=True).count("work 2026-05-05") == 2


def test_a_dag_without_a_schedule_gets_a_run_a_day(workshop):
    (workshop.root / "mended").touch()
    done = workshop.run("run", "shop", "--from", "2026-02-01", "--to", "2026-02-02", "--param", "rows=5")

    assert done.code == 0, done.said
    assert "2 runs of shop, 2026-02-01 to 2026-02-02 (UTC):" in done.out
    assert ledger(workshop.root).count("report") == 2


# -- here


def test_a_breakpoint_at_the_terminal_and_no_trace_in_the_history(workshop):
    (workshop.root / "mended").touch()
    assert workshop.run("run", "shop").code == 0
    before = runs_of(workshop, "shop")

    with Terminal(workshop, "run", "shop", "--here", "--task", "stand") as terminal:
        terminal.expect(f"those of {before[-1]}.")
        waited = terminal.expect("(Pdb) ")
        print(f"{waited:.1f} s to the breakpoint")
        terminal.type("p found")
        terminal.expect("{'result': 6}")
        terminal.type("c")
        terminal.expect("went on with 6")
        assert terminal.wait() == 0
        assert "✓ shop: success" in terminal.seen

    assert runs_of(workshop, "shop") == before
    assert list(workshop.project.run.glob("here-*")) == []
    wait_until(lambda: "runtime.here" not in str(workshop.processes()), 10, "the helper's end")


def test_whoever_leaves_the_debugger_or_presses_ctrl_c_ends_it(workshop):
    with Terminal(workshop, "run", "shop", "--here", "--task", "stand") as terminal:
        terminal.expect("(Pdb) ")
        terminal.type("q")
        assert terminal.wait() == 1
        assert "You left the debugger" in terminal.seen


def test_the_debugger_opens_where_a_task_failed(workshop):
    with Terminal(workshop, "run", "shop", "--here", "--pdb") as terminal:
        terminal.expect("ValueError: no price in the data")
        terminal.expect("(Pdb) ")
        terminal.type("p rows")
        terminal.expect("3")
        terminal.type("q")
        assert terminal.wait() == 1


def test_tables_are_closed_here_as_in_a_real_task(workshop):
    here = workshop.run("run", "shop", "--here", "--task", "look_into_tables")
    assert here.code == 1
    assert NO_TABLES in here.out
    assert "/site-packages/airflow/" not in here.out

    for name in ("mended", "tables"):
        (workshop.root / name).touch()
    real = workshop.run("run", "shop")
    assert real.code == 1, real.said
    assert NO_TABLES in real.out


def test_an_edited_helper_takes_effect_here_and_there(workshop):
    (workshop.root / "mended").touch()
    helper = workshop.root / "src" / "bench.py"
    assert "the result is 6" in workshop.run("run", "shop", "--here").out
    helper.write_text(BENCH.replace("FACTOR = 2", "FACTOR = 7"))
    try:
        assert "factor 7\n" in workshop.run("run", "shop", "--here", "--task", "train").out
        assert workshop.run("run", "shop").code == 0
        assert "the result is 21" in workshop.run("logs", "shop.report").out
    finally:
        helper.write_text(BENCH)


def test_a_wrong_name_or_parameter_here_is_a_sentence(workshop):
    unknown = workshop.run("run", "shpo", "--here")
    assert (unknown.code, "There is no DAG shpo" in unknown.err, "Traceback" in unknown.said) == (
        1,
        True,
        False,
    )
    task = workshop.run("run", "shop", "--here", "--task", "trian")
    assert "shop has no task trian. Did you mean train?" in task.err
    broken = workshop.project.dags / "broken.py"
    broken.write_text("from airflow.sdk import dag\nimport broken_bench\n")
    try:
        done = workshop.run("run", "broken", "--here")
    finally:
        broken.unlink()
    assert done.code == 1
    assert "SyntaxError: expected ':'" in done.err
    assert "The DAG file does not import." in done.err


# -- logs, restart, open


def test_a_log_is_followed_over_a_retry_and_a_restart_of_the_scheduler(workshop):
    with workshop.airflow() as airflow:
        airflow.set_paused("long", paused=False)
        airflow.trigger("long", {}, None, "followed")
    wait_until(lambda: "long 1" in ledger(workshop.root), 120, "the first try")
    seen: list[str] = []
    command = [str(AIRFOIL), "logs", "long.work", "-f"]
    with subprocess.Popen(
        command, cwd=workshop.root, env=workshop.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        reader = threading.Thread(target=lambda: seen.extend(process.stdout))
        reader.start()
        wait_until(lambda: "try 1 begins" in "".join(seen), 60, "the log")
        (workshop.root / "enough-1").touch()
        wait_until(lambda: "long 2" in ledger(workshop.root), 120, "the second try")

        restarted = workshop.run("restart", "scheduler")
        assert restarted.code == 0, restarted.said
        assert "scheduler is ready again after" in restarted.out
        wait_until(lambda: "long 3" in ledger(workshop.root), 180, "a further try after the restart")
        (workshop.root / "enough-3").touch()
        reader.join(120)
        assert process.wait(60) == 0
    text = "".join(seen)
    for line in (
        "try 1 begins",
        "try 1 ends",
        "the first never works",
        ", try 3 (",
        "try 3 begins",
        "try 3 ends",
    ):
        assert line in text, line
    assert text.index("try 1 ends") < text.index("try 3 begins")
    with workshop.airflow() as airflow:
        wait_until(lambda: airflow.run("long", "followed")["state"] == "success", 60, "the run's end")
    print(f"restart of the scheduler {restarted.seconds:.1f} s")


@pytest.mark.parametrize("name", ["api-server", "mlflow", "dag-processor", "triggerer", "page"])
def test_one_service_is_restarted_and_the_others_go_on(workshop, name):
    before = workshop.pids()
    done = workshop.run("restart", name)

    assert done.code == 0, done.said
    after = workshop.pids()
    assert after[name] != before[name]
    assert {one: pid for one, pid in after.items() if one != name} == {
        one: pid for one, pid in before.items() if one != name
    }
    assert workshop.state().service(name).restarts == 0
    print(f"{name}: {done.seconds:.1f} s")


def test_a_service_that_is_not_there_is_not_restarted(workshop):
    done = workshop.run("restart", "schedular")
    assert (done.code, done.err) == (
        1,
        "Error: There is no service schedular to restart.\nDid you mean scheduler?\n",
    )


@pytest.mark.parametrize(
    ("what", "service"), [("airflow", "api-server"), ("mlflow", "mlflow"), ("status", "page")]
)
def test_the_pages_are_where_open_says(workshop, what, service):
    done = workshop.run("open", what, "--print")

    assert (done.code, done.out) == (0, f"{workshop.url(service)}\n")
    assert fetch(done.out.strip()).status in {200, 302, 307}
    assert workshop.secrets().admin_password not in done.said


def test_everything_is_restarted_with_the_settings_of_now(workshop):
    before = workshop.state().manager_pid
    done = workshop.run("restart")

    assert done.code == 0, done.said
    assert workshop.state().manager_pid != before
    print(f"restart of all: {done.seconds:.1f} s")


# -- without a platform


def test_a_dag_runs_here_while_the_platform_is_down(workshop):
    (workshop.root / "mended").touch()
    workshop.down()
    began = time.monotonic()
    done = workshop.run("run", "shop", "--here", "--date", "2026-02-01")

    assert done.code == 0, done.said
    assert "The platform does not run" in done.out
    assert "the result is 6" in done.out
    print(f"{time.monotonic() - began:.1f} s in all")


def test_a_dag_runs_here_where_nothing_was_ever_started(new_platform):
    furnish(new_platform)
    (new_platform.root / "mended").touch()
    done = new_platform.run("run", "shop", "--here")

    assert done.code == 0, done.said
    assert "the result is 6" in done.out
