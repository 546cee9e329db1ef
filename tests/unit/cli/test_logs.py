import pytest

from airfoil.cli import logs

pytestmark = pytest.mark.unit


@pytest.fixture
def service_logs(project):
    for name in ("mlflow", "scheduler"):
        project.service_log(name).write_text("".join(f"{name} {number}\n" for number in range(1, 201)))
    (project.logs / "mlflow.log.1").write_text("old\n")
    return project


def interrupt_after(times, act=lambda: None):
    left = [times]

    def sleep(seconds):
        act()
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    return sleep


def test_one_service(airfoil, service_logs):
    outcome = airfoil("logs", "mlflow", "-n", "2")

    assert (outcome.code, outcome.out) == (0, "mlflow 199\nmlflow 200\n")


def test_one_service_shows_a_hundred_lines(airfoil, service_logs):
    assert len(airfoil("logs", "mlflow").out.splitlines()) == 100


def test_all_services_carry_their_names(airfoil, service_logs):
    outcome = airfoil("logs", "-n", "1")

    assert outcome.out == "mlflow    | mlflow 200\nscheduler | scheduler 200\n"


def test_following_prints_what_is_added_until_ctrl_c(airfoil, service_logs):
    log = service_logs.service_log("mlflow")

    def add():
        with log.open("a") as file:
            file.write("new\n")

    outcome = airfoil("logs", "mlflow", "-f", "-n", "1", sleep=interrupt_after(2, add))

    assert outcome.out == "mlflow 200\nnew\nnew\n"
    assert (outcome.code, outcome.err) == (130, "\nInterrupted. The platform is not affected.\n")


def test_nothing_was_started_yet(airfoil, project):
    outcome = airfoil("logs")

    assert (outcome.code, outcome.out) == (0, "")
    assert "airfoil up" in outcome.err


def test_a_negative_number_of_lines_is_wrong_usage(airfoil, service_logs):
    assert airfoil("logs", "mlflow", "-n", "-1").code == 2


def test_a_mistyped_service_without_a_platform(airfoil, service_logs):
    outcome = airfoil("logs", "schedular")

    assert outcome.err == "Error: There is neither a service nor a task schedular.\nDid you mean scheduler?\n"


def test_a_task_without_a_platform(airfoil, service_logs):
    outcome = airfoil("logs", "shop.train")

    assert (outcome.code, outcome.err.splitlines()[0]) == (1, "Error: The platform is not running.")


def test_service_names_are_files(service_logs):
    assert logs.service_names(service_logs.logs) == ["mlflow", "scheduler"]


def test_a_task(airfoil, running, task):
    running.add_dag("shop")
    running.add_run("shop", "r1", [task("train", "success")])
    running.add_log("shop", "r1", "train", 1, {"event": "one"}, {"event": "two"})

    outcome = airfoil("logs", "shop.train", "-n", "1")

    assert (outcome.code, outcome.out, outcome.err) == (0, "two\n", "")
