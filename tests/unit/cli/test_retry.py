import pytest

pytestmark = pytest.mark.unit

BASE = "/api/v2/dags/shop"


@pytest.fixture
def shop(running, task, answer):
    """A DAG whose last run failed in its second task; clearing lets it succeed."""
    failed = [task("load", "success"), task("train", "failed"), task("report", "upstream_failed")]
    again = [
        task("load", "success"),
        task("train", "success", try_number=2),
        task("report", "success"),
    ]
    running.add_dag("shop")
    running.cleared = []
    rows = {"state": "failed", "tasks": failed}

    def run(_):
        return answer({"dag_run_id": "r7", "state": rows["state"]})

    def clear(request):
        running.cleared.append(request.body)
        rows.update(state="success", tasks=again)
        return answer({"task_instances": [{"task_id": "train"}, {"task_id": "report"}]})

    def runs(request):
        wanted = request.query.get("state")
        return answer({"dag_runs": [{"dag_run_id": "r7"}] if wanted in {None, rows["state"]} else []})

    running.rows = rows
    running.server.on("GET", f"{BASE}/dagRuns", runs)
    running.server.on("GET", f"{BASE}/dagRuns/r7", run)
    running.server.on(
        "GET", f"{BASE}/dagRuns/r7/taskInstances", lambda _: answer({"task_instances": rows["tasks"]})
    )
    running.server.on("POST", f"{BASE}/clearTaskInstances", clear)
    return running


def test_what_failed_in_the_latest_failed_run_runs_again(airfoil, shop):
    outcome = airfoil("retry", "shop")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Running 2 of 3 tasks of shop again (r7):\n")
    assert "✓ shop: success" in outcome.out
    (sent,) = shop.cleared
    assert sent["task_ids"] == ["train", "report"]
    assert (sent["dag_run_id"], sent["include_downstream"], sent["dry_run"]) == ("r7", True, False)
    # Left alone, and not told again.
    assert "load" not in outcome.out


def test_a_task_and_all_after_it_in_the_latest_run_of_any_state(airfoil, shop):
    shop.rows["state"] = "success"

    outcome = airfoil("retry", "shop", "--from", "load", "--json")

    assert outcome.code == 0
    assert outcome.json()["run_id"] == "r7"
    assert shop.cleared[0]["task_ids"] == ["load"]


def test_one_instance_of_a_mapped_task(airfoil, shop, task):
    shop.rows["tasks"] = [task("many", "success", map_index=0), task("many", "failed", map_index=1)]

    airfoil("retry", "shop", "--run", "r7")

    assert shop.cleared[0]["task_ids"] == [["many", 1]]


def test_a_retry_that_fails_again_is_1_and_says_how_to_go_on(airfoil, shop, answer):
    shop.server.on("POST", f"{BASE}/clearTaskInstances", answer({"task_instances": [{"task_id": "train"}]}))

    outcome = airfoil("retry", "shop")

    assert outcome.code == 1
    assert "Last lines of shop.train (try 1):" in outcome.out
    assert outcome.out.endswith("  Retry    airfoil retry shop --run r7\n")


def test_nothing_failed(airfoil, shop, task):
    shop.rows.update(state="success", tasks=[task("load", "success")])

    by_itself = airfoil("retry", "shop")
    named = airfoil("retry", "shop", "--run", "r7")

    assert (by_itself.code, by_itself.err) == (
        1,
        "Error: No run of shop has failed.\nRun it: `airfoil run shop`.\n",
    )
    assert named.code == 1
    assert named.err.startswith("Error: Nothing to retry: no task failed in the run r7 of shop (success).\n")
    assert shop.cleared == []


def test_a_run_under_way_is_not_begun_anew(airfoil, shop):
    shop.rows["state"] = "running"

    outcome = airfoil("retry", "shop", "--from", "load")

    assert outcome.err.startswith("Error: The run r7 is still running.\n")
    assert shop.cleared == []


def test_a_task_that_does_not_exist(airfoil, shop):
    outcome = airfoil("retry", "shop", "--from", "trian")

    assert outcome.err == "Error: shop has no task trian.\nDid you mean train?\n"


def test_a_run_that_does_not_exist(airfoil, shop):
    outcome = airfoil("retry", "shop", "--run", "r8")

    assert outcome.code == 1
    assert "404" in outcome.err


def test_a_dag_that_never_ran(airfoil, running, answer):
    running.add_dag("shop")
    running.server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": []}))

    assert "shop has not run yet." in airfoil("retry", "shop", "--from", "x").err
