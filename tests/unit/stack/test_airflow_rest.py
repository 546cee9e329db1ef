import pytest

from airfoil.errors import ServiceAnswerError, ServiceRefusedError, ServiceUnreachableError
from airfoil.stack.airflow_rest import AirflowRest

pytestmark = pytest.mark.unit

RUN = "manual__2026-11-20T10:00:00+00:00_x"
RUNS = "/api/v2/dags/team.shop/dagRuns"


@pytest.fixture
def airflow(http_server, answer):
    http_server.on(
        "POST", "/auth/token", answer({"access_token": "t1"}, 201), answer({"access_token": "t2"}, 201)
    )
    with AirflowRest(http_server.url, "admin", "secret", timeout_seconds=2) as client:
        yield client


def test_health_and_version_need_no_login(airflow, http_server, answer):
    http_server.on("GET", "/api/v2/monitor/health", answer({"scheduler": {"status": "healthy"}}))
    http_server.on("GET", "/api/v2/version", answer({"version": "3.3.2"}))

    assert airflow.health() == {"scheduler": {"status": "healthy"}}
    assert airflow.version() == "3.3.2"
    assert [request.path for request in http_server.requests] == ["/api/v2/monitor/health", "/api/v2/version"]


def test_one_login_serves_many_requests(airflow, http_server, answer):
    http_server.on("GET", "/api/v2/dags/a", answer({"dag_id": "a"}))

    airflow.dag("a")
    airflow.dag("a")

    (login,) = http_server.asked("/auth/token")
    assert login.body == {"username": "admin", "password": "secret"}
    assert [request.headers["authorization"] for request in http_server.asked("/api/v2/dags/a")] == [
        "Bearer t1"
    ] * 2


def test_an_outdated_token_is_renewed_once(airflow, http_server, answer):
    http_server.on(
        "GET", "/api/v2/dags/a", answer({"dag_id": "a"}), answer({}, 401), answer({"dag_id": "again"})
    )
    airflow.dag("a")

    assert airflow.dag("a") == {"dag_id": "again"}

    tokens = [request.headers["authorization"] for request in http_server.asked("/api/v2/dags/a")]
    assert tokens == ["Bearer t1", "Bearer t1", "Bearer t2"]


def test_a_fresh_token_that_is_refused_is_an_error(airflow, http_server, answer):
    http_server.on("GET", "/api/v2/dags/a", answer({"detail": "Forbidden"}, 401))

    with pytest.raises(ServiceRefusedError, match="401: Forbidden"):
        airflow.dag("a")

    assert len(http_server.asked("/auth/token")) == 1


def test_a_wrong_password_says_so_without_the_password(airflow, http_server, answer):
    http_server.on("POST", "/auth/token", answer({"detail": "Invalid credentials"}, 401))

    with pytest.raises(ServiceRefusedError, match="refused the login as admin") as caught:
        airflow.dags()

    assert "secret" not in f"{caught.value}{caught.value.next_move}"


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 7}, "<html>"])
def test_a_login_without_a_token(airflow, http_server, answer, body):
    http_server.on("POST", "/auth/token", answer(body, 201))

    with pytest.raises(ServiceAnswerError):
        airflow.dags()


def test_an_unknown_dag_is_none(airflow, http_server, answer):
    http_server.on("GET", "/api/v2/dags/nope", answer({"detail": "not found"}, 404))

    assert airflow.dag("nope") is None


def test_a_broken_api_is_not_an_unknown_dag(airflow, http_server, answer):
    http_server.on("GET", "/api/v2/dags/nope", answer("boom", 500))

    with pytest.raises(ServiceUnreachableError):
        airflow.dag("nope")


def test_dags_come_in_pages(airflow, http_server, answer):
    rows = [{"dag_id": f"dag{number}"} for number in range(230)]

    def page(request):
        start = int(request.query["offset"])
        return answer({"dags": rows[start : start + int(request.query["limit"])], "total_entries": 230})

    http_server.on("GET", "/api/v2/dags", page)

    assert airflow.dags() == rows
    assert [request.query["offset"] for request in http_server.asked("/api/v2/dags")] == ["0", "100", "200"]


def test_trigger_always_sends_a_logical_date(airflow, http_server, answer):
    http_server.on("POST", RUNS, answer({"dag_run_id": RUN, "state": "queued"}))

    assert airflow.trigger("team.shop", {"trees": 5})["dag_run_id"] == RUN

    (request,) = http_server.asked(RUNS)
    assert request.body == {"logical_date": None, "conf": {"trees": 5}}


def test_a_run_that_exists_already_is_ours_when_we_named_it(airflow, http_server, answer):
    http_server.on("POST", RUNS, answer({"detail": "exists"}, 409))
    http_server.on("GET", f"{RUNS}/{RUN}", answer({"dag_run_id": RUN, "state": "running"}))

    assert airflow.trigger("team.shop", {}, run_id=RUN)["state"] == "running"
    with pytest.raises(ServiceAnswerError, match="409: exists"):
        airflow.trigger("team.shop", {})


def test_a_refused_parameter_is_told(airflow, http_server, answer):
    http_server.on("POST", RUNS, answer({"detail": "Invalid input for param trees: 0 is less than 1"}, 400))

    with pytest.raises(ServiceAnswerError, match="trees: 0 is less than 1"):
        airflow.trigger("team.shop", {"trees": 0})


def test_recent_runs_are_newest_first(airflow, http_server, answer):
    http_server.on(
        "GET", "/api/v2/dags/~/dagRuns", answer({"dag_runs": [{"dag_run_id": "b"}, {"dag_run_id": "a"}]})
    )
    http_server.on("GET", RUNS, answer({"dag_runs": []}))

    assert [run["dag_run_id"] for run in airflow.recent_runs(500)] == ["b", "a"]
    assert airflow.recent_runs(3, "team.shop") == []
    assert [request.query for request in http_server.requests[1:]] == [
        {"order_by": "-id", "limit": "100"},
        {"order_by": "-id", "limit": "3"},
    ]


def test_a_task_instance_on_two_pages_counts_once(airflow, http_server, answer):
    location = f"{RUNS}/{RUN}/taskInstances"
    first = [{"task_id": "t", "map_index": number, "state": "queued"} for number in range(100)]
    second = [{"task_id": "t", "map_index": 99, "state": "running"}, {"task_id": "end", "map_index": -1}]
    http_server.on("GET", location, answer({"task_instances": first}), answer({"task_instances": second}))

    found = airflow.task_instances("team.shop", RUN)

    assert len(found) == 101
    assert found[99]["state"] == "running"


def test_a_task_log_is_read_to_its_end(airflow, http_server, answer):
    location = f"{RUNS}/{RUN}/taskInstances/group.train/logs/2"
    http_server.on(
        "GET",
        location,
        answer({"content": [{"event": "one"}], "continuation_token": "next"}),
        answer({"content": ["two"], "continuation_token": "more"}),
        answer({"content": [], "continuation_token": "for ever"}),
    )

    assert airflow.task_log("team.shop", RUN, "group.train", 2, 7) == "one\ntwo"

    queries = [request.query for request in http_server.asked(location)]
    assert queries[0] == {"map_index": "7", "full_content": "true"}
    assert [query.get("token") for query in queries] == [None, "next", "more"]
    assert {request.headers["accept"] for request in http_server.asked(location)} == {"application/json"}


def test_pausing_parsing_and_import_errors(airflow, http_server, answer):
    http_server.on("PATCH", "/api/v2/dags/a", answer({"is_paused": False}))
    http_server.on("PUT", "/api/v2/parseDagFile/tok.en", answer(None, 201))
    http_server.on("GET", "/api/v2/importErrors", answer({"import_errors": [{"filename": "a.py"}]}))

    airflow.set_paused("a", paused=False)
    airflow.parse_file("tok.en")

    assert airflow.import_errors() == [{"filename": "a.py"}]
    assert http_server.asked("/api/v2/dags/a")[0].body == {"is_paused": False}


def test_a_garbled_list_is_an_error(airflow, http_server, answer):
    http_server.on("GET", "/api/v2/dags", answer({"dags": "none"}))

    with pytest.raises(ServiceAnswerError, match="without a list of dags"):
        airflow.dags()


def test_tasks_are_cleared_with_all_after_them(airflow, http_server, answer):
    location = "/api/v2/dags/team.shop/clearTaskInstances"
    http_server.on("POST", location, answer({"task_instances": [{}, {}]}))

    assert airflow.clear_tasks("team.shop", RUN, ["train", ("many", 3)]) == 2

    (request,) = http_server.asked(location)
    assert request.body["task_ids"] == ["train", ["many", 3]]
    assert request.body["run_on_latest_version"] is True


def test_filtered_runs_come_in_pages_or_up_to_a_limit(airflow, http_server, answer):
    rows = [{"dag_run_id": str(number)} for number in range(100)]
    http_server.on("GET", RUNS, answer({"dag_runs": rows}), answer({"dag_runs": rows[:3]}))

    assert len(airflow.runs("team.shop", {"state": "failed"})) == 103
    assert len(airflow.runs("team.shop", {}, limit=3)) == 3
    assert http_server.asked(RUNS)[0].query == {"state": "failed", "limit": "100", "offset": "0"}
    assert http_server.asked(RUNS)[-1].query == {"limit": "3"}


def test_a_second_backfill_at_once_is_none(airflow, http_server, answer):
    http_server.on("POST", "/api/v2/backfills", answer({"id": 1}), answer({"detail": "running"}, 409))

    assert airflow.create_backfill({}) == {"id": 1}
    assert airflow.create_backfill({}) is None


def test_the_zone_of_a_dag(airflow, http_server, answer):
    details = "/api/v2/dags/shop/details"
    http_server.on("GET", details, answer({"timezone": "Europe/Berlin"}), answer({"timezone": None}))

    assert [airflow.time_zone("shop"), airflow.time_zone("shop")] == ["Europe/Berlin", "UTC"]
