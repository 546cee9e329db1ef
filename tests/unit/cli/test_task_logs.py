import pytest

pytestmark = pytest.mark.unit


def test_dots_in_the_dags_id(airfoil, running, task):
    running.add_dag("team")
    running.add_dag("team.shop")
    running.add_run("team.shop", "r1", [task("load.csv", "success")])
    running.add_log("team.shop", "r1", "load.csv", 1, "line")

    assert airfoil("logs", "team.shop.load.csv").out == "line\n"


def test_every_instance_of_a_mapped_task_has_its_title(airfoil, running, task):
    running.add_dag("shop")
    running.add_run("shop", "r1", [task("many", "success", map_index=0), task("many", "failed", map_index=1)])
    running.add_log("shop", "r1", "many", 1, "line")

    assert airfoil("logs", "shop.many").out == (
        "--- shop.many[0], try 1 (success)\nline\n--- shop.many[1], try 1 (failed)\nline\n"
    )
    assert airfoil("logs", "shop.many[1]").out == "line\n"


def test_a_task_that_has_not_begun_has_no_log(airfoil, running, task):
    running.add_dag("shop")
    running.add_run("shop", "r1", [task("late", "queued")])

    outcome = airfoil("logs", "shop.late")

    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "shop.late has not begun yet.\n"


def test_following_ends_with_the_task(airfoil, running, task, answer):
    running.add_dag("shop")
    running.add_run("shop", "r1", [])
    looks = [
        [task("train", "queued")],
        [task("train", "queued")],
        [task("train", "running")],
        [task("train", "up_for_retry")],
        [task("train", "running", try_number=2)],
        [task("train", "success", try_number=2)],
    ]
    location = "/api/v2/dags/shop/dagRuns/r1/taskInstances"
    running.server.on("GET", location, *[answer({"task_instances": look}) for look in looks])
    running.add_log("shop", "r1", "train", 1, ["one"], ["one", "two"])
    running.add_log("shop", "r1", "train", 2, ["again"], ["again", "done"])

    outcome = airfoil("logs", "shop.train", "-f")

    assert outcome.code == 0
    assert outcome.out == "one\ntwo\n--- shop.train, try 2 (running)\nagain\ndone\n"


def test_following_misses_nothing_of_a_try_that_ended_between_two_looks(airfoil, running, task, answer):
    running.add_dag("shop")
    running.add_run("shop", "r1", [])
    looks = [
        [task("train", "running")],
        [task("train", "running")],
        [task("train", "running")],
        [task("train", "success", try_number=2)],
    ]
    location = "/api/v2/dags/shop/dagRuns/r1/taskInstances"
    running.server.on("GET", location, *[answer({"task_instances": look}) for look in looks])
    running.add_log("shop", "r1", "train", 1, ["one"], ["one", "two"], ["one", "two", "last word"])
    running.add_log("shop", "r1", "train", 2, ["again"])

    outcome = airfoil("logs", "shop.train", "-f")

    assert outcome.out == "one\ntwo\nlast word\n--- shop.train, try 2 (success)\nagain\n"


def test_an_earlier_run_is_used_when_the_last_has_no_such_task(airfoil, running, task, answer):
    running.add_dag("shop")
    runs = [{"dag_run_id": "new"}, {"dag_run_id": "old"}]
    running.server.on("GET", "/api/v2/dags/shop/dagRuns", answer({"dag_runs": runs}))
    running.add_run("shop", "new", [task("renamed", "success")])
    running.add_run("shop", "old", [task("train", "success")])
    running.add_log("shop", "old", "train", 1, "line")

    assert airfoil("logs", "shop.train").out == "line\n"


def test_a_wrong_task(airfoil, running, task):
    running.add_dag("shop")
    running.add_run("shop", "r1", [task("train", "success")])

    assert airfoil("logs", "shop.trian").err == "Error: shop has no task trian.\nDid you mean shop.train?\n"
    assert "Its tasks: shop.train." in airfoil("logs", "shop").err


def test_a_dag_that_never_ran(airfoil, running):
    running.add_dag("shop")

    outcome = airfoil("logs", "shop.train")

    assert outcome.err == "Error: shop has not run yet.\nRun it: `airfoil run shop`.\n"


def test_an_unknown_dag(airfoil, running):
    running.add_dag("shop")

    assert "Did you mean shop?" in airfoil("logs", "shpo.train").err
