import pytest

from airfoil.cli import range_run

pytestmark = pytest.mark.unit

BASE = "/api/v2/dags/shop"


@pytest.fixture
def shop(running, answer):
    """A daily DAG; the runs of the range are there as soon as they are asked for, the second has failed."""
    running.add_dag("shop", timetable_periodic=True)
    server = running.server
    running.days = [1, 2]

    def dates(request):
        return answer(
            {"backfills": [{"logical_date": f"2026-01-{day:02}T00:00:00Z"} for day in running.days]}
        )

    def runs(_):
        rows = [
            {
                "dag_run_id": f"r{day}",
                "logical_date": f"2026-01-{day:02}T00:00:00Z",
                "state": "failed" if day == 2 else "success",
                "start_date": "2026-11-20T10:00:00Z",
                "end_date": "2026-11-20T10:00:02Z",
            }
            for day in running.days
        ]
        return answer({"dag_runs": rows})

    server.on("GET", f"{BASE}/details", answer({"timezone": "UTC"}))
    server.on("POST", "/api/v2/backfills/dry_run", dates)
    server.on("GET", "/api/v2/backfills", answer({"backfills": []}))
    server.on("POST", "/api/v2/backfills", answer({"id": 4}))
    server.on("GET", f"{BASE}/dagRuns", runs)
    server.on("GET", f"{BASE}/dagRuns/r2", answer({"state": "failed"}))
    failed = [{"task_id": "train", "map_index": -1, "state": "failed", "try_number": 1}]
    server.on("GET", f"{BASE}/dagRuns/r2/taskInstances", answer({"task_instances": failed}))
    killed = {"event": "Process exited abnormally", "exit_code": 3}
    server.on("GET", f"{BASE}/dagRuns/r2/taskInstances/train/logs/1", answer({"content": [killed]}))
    return running


def in_january(airfoil, *more):
    return airfoil("run", "shop", "--from", "2026-01-01", "--to", "2026-01-31", *more)


def test_one_line_for_each_run_then_its_tasks_that_failed_and_the_worst_outcome(airfoil, shop):
    outcome = in_january(airfoil)

    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.splitlines() == [
        "2 runs of shop, 2026-01-01 to 2026-01-02 (UTC):",
        "✓ 2026-01-01        success  2.0 s  r1",
        "✗ 2026-01-02        failed  2.0 s  r2",
        "    ✗ train: The task's process ended by itself with exit code 3",
        "✗ shop: 1 of 2 runs succeeded",
        f"  Airflow  {shop.url}/dags/shop",
        "  Retry    airfoil retry shop --run r2",
    ]


def test_all_good_is_0(airfoil, shop):
    shop.days = [1]

    assert in_january(airfoil).code == 0


def test_json_is_one_object(airfoil, shop):
    outcome = in_january(airfoil, "--json")

    found = outcome.json()
    assert (outcome.code, found["state"], found["left_alone"]) == (1, "failed", 0)
    assert [(run["run_id"], run["state"], run["failed_tasks"]) for run in found["runs"]] == [
        ("r1", "success", []),
        ("r2", "failed", ["train"]),
    ]


def test_many_runs_are_not_started_unasked(airfoil, shop):
    shop.days = [1, *range(3, 24)]

    outcome = in_january(airfoil)

    assert outcome.code == 1
    assert outcome.err == (
        "Error: That would be 22 runs of shop.\nAdd --yes to start them, or name a shorter range.\n"
    )
    assert [request for request in shop.server.asked("/api/v2/backfills") if request.method == "POST"] == []
    assert in_january(airfoil, "--yes").code == 0


def test_a_person_at_a_terminal_is_asked(monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = []

    range_run.agree("shop", 22, lambda text: asked.append(text) or True)
    with pytest.raises(range_run.ConfigurationError, match="Nothing was started"):
        range_run.agree("shop", 22, lambda _: False)

    assert asked == ["Start 22 runs of shop?"]


def test_dates_that_ran_are_left_alone_and_that_is_said(airfoil, shop, answer):
    def dates(request):
        days = [] if request.body["reprocess_behavior"] == "none" else [1, 2]
        return answer({"backfills": [{"logical_date": f"2026-01-{day:02}T00:00:00Z"} for day in days]})

    shop.server.on("POST", "/api/v2/backfills/dry_run", dates)

    outcome = in_january(airfoil)

    assert outcome.code == 0
    assert outcome.out == (
        "2 dates ran already or run now, and stay as they are (--reprocess failed or completed runs them again).\n"
        "Nothing to run for shop.\n"
    )
    assert in_january(airfoil, "--json").json()["runs"] == []


def test_the_live_line_counts(shop):
    printer = range_run.RangePrinter(None, "shop", quiet=False, terminal=False)
    printer.progress([])

    assert printer.counts().startswith("  0 of 0 runs done, 0 running")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "2026-01-01"), "a range needs both of them"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "it lies before --from"),
        (("--from", "2199-01-02", "--to", "2199-01-05"), "lies in the future"),
        (("--date", "2199-01-02"), "lies in the future"),
        (("--date", "01.02.2026"), "is not a date; write 2026-11-20"),
        (("--date", "2026-01-01", "--from", "2026-01-01", "--to", "2026-01-01"), "name one date or a range"),
        (("--reprocess", "failed"), "it needs --date or a range"),
        (("--date", "2026-01-01", "--reprocess", "all"), "choose one of none, failed, completed"),
        (("--task", "x"), "it needs --here"),
        (("--pdb",), "it needs --here"),
        (("--here", "--json"), "it does not go with --here"),
        (("--here", "--from", "2026-01-01", "--to", "2026-01-02"), "it does not go with --here"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(airfoil, shop, arguments, words):
    outcome = airfoil("run", "shop", *arguments)

    assert outcome.code == 2
    assert words in outcome.err
