"""Runs: made, closed, tagged, deleted, and found by filters, page by page."""

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")


def it_begins_running_with_what_was_given(talk):
    number = talk.experiment()
    tags = [{"key": "team", "value": "ü"}]
    made = talk.ask(
        "POST", "runs/create", experiment_id=number, run_name="one", start_time=1700000000000, tags=tags
    )["run"]
    info = made["info"]
    assert info["status"] == "RUNNING"
    assert info["lifecycle_stage"] == "active"
    assert info["start_time"] == 1700000000000
    assert info["artifact_uri"] == f"mlflow-artifacts:/{number}/{info['run_id']}/artifacts"
    assert talk.read(info["run_id"])["tags"] == {"team": "ü", "mlflow.runName": "one"}


def without_a_name_it_gets_one(talk):
    made = talk.ask("POST", "runs/create", experiment_id=talk.experiment())["run"]
    assert made["info"]["run_name"]
    assert made["data"]["tags"] == [{"key": "mlflow.runName", "value": made["info"]["run_name"]}]


def it_needs_an_experiment_that_exists(talk):
    assert talk.refusal("POST", "runs/create", experiment_id="999999") == MISSING
    assert talk.refusal("POST", "runs/create", experiment_id="x") == INVALID


def two_names_or_two_tags_of_one_key_are_refused(talk):
    number = talk.experiment()
    name = [{"key": "mlflow.runName", "value": "b"}]
    assert talk.refusal("POST", "runs/create", experiment_id=number, run_name="a", tags=name) == INVALID
    twice = [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]
    assert talk.refusal("POST", "runs/create", experiment_id=number, tags=twice) == (400, "BAD_REQUEST")


def it_is_closed_and_opened_again(talk):
    run = talk.run()
    closed = talk.ask("POST", "runs/update", run_id=run, status="FAILED", end_time=1700000000001)["run_info"]
    assert (closed["status"], closed["end_time"]) == ("FAILED", 1700000000001)
    opened = talk.ask("POST", "runs/update", run_id=run, status="RUNNING")["run_info"]
    assert (opened["status"], opened["end_time"]) == ("RUNNING", 1700000000001)
    for status in ("KILLED", "SCHEDULED", "FINISHED"):
        assert talk.ask("POST", "runs/update", run_id=run, status=status)["run_info"]["status"] == status


def a_status_it_does_not_know_changes_nothing(talk):
    run = talk.run()
    assert talk.ask("POST", "runs/update", run_id=run, status="SKIPPED")["run_info"]["status"] == "RUNNING"


def its_name_is_a_tag(talk):
    run = talk.run()
    talk.ask("POST", "runs/update", run_id=run, run_name="two")
    assert talk.read(run)["tags"] == {"mlflow.runName": "two"}
    talk.ask("POST", "runs/set-tag", run_id=run, key="mlflow.runName", value="three")
    assert talk.ask("GET", "runs/get", run_id=run)["run"]["info"]["run_name"] == "three"


def what_is_not_there_is_said(talk):
    nobody = "f" * 32
    assert talk.refusal("GET", "runs/get", run_id=nobody) == MISSING
    assert talk.refusal("POST", "runs/update", run_id=nobody, status="FAILED") == MISSING
    assert talk.refusal("POST", "runs/delete", run_id=nobody) == MISSING
    assert talk.refusal("POST", "runs/set-tag", run_id=nobody, key="a", value="b") == MISSING
    assert talk.refusal("POST", "runs/delete-tag", run_id=nobody, key="a") == MISSING
    assert talk.refusal("POST", "runs/restore", run_id=nobody) == MISSING
    assert talk.refusal("GET", "runs/get") == INVALID


def tags_are_set_changed_and_taken_away(talk):
    run = talk.run()
    talk.ask("POST", "runs/set-tag", run_id=run, key="a.b/c d:e-f_", value="1")
    talk.ask("POST", "runs/set-tag", run_id=run, key="a.b/c d:e-f_", value="2")
    talk.ask("POST", "runs/set-tag", run_id=run, key="empty", value="")
    assert talk.read(run)["tags"] == {"mlflow.runName": "one", "a.b/c d:e-f_": "2", "empty": ""}
    talk.ask("POST", "runs/delete-tag", run_id=run, key="empty")
    assert talk.refusal("POST", "runs/delete-tag", run_id=run, key="empty") == MISSING


def a_long_tag_is_cut_without_a_word(talk):
    run = talk.run()
    talk.ask("POST", "runs/set-tag", run_id=run, key="a", value="x" * 8001)
    assert len(talk.read(run)["tags"]["a"]) == 8000


def keys_it_does_not_take_are_refused(talk):
    run = talk.run()
    for key in ("it's", "a,b", "../a", "/a", "a//b", ".", "k" * 251):
        assert talk.refusal("POST", "runs/set-tag", run_id=run, key=key, value="1") == INVALID
    assert talk.refusal("POST", "runs/set-tag", run_id=run, value="1") == INVALID
    assert talk.refusal("POST", "runs/set-tag", run_id=run, key="a", value=1) == INVALID


def a_deleted_run_can_be_read_and_not_written(talk):
    run = talk.run()
    for _ in range(2):
        talk.ask("POST", "runs/delete", run_id=run)
    assert talk.ask("GET", "runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "deleted"
    assert talk.refusal("POST", "runs/update", run_id=run, status="FAILED") == INVALID
    assert talk.refusal("POST", "runs/set-tag", run_id=run, key="a", value="1") == INVALID
    assert talk.refusal("POST", "runs/delete-tag", run_id=run, key="mlflow.runName") == INVALID
    assert talk.refusal("POST", "runs/log-parameter", run_id=run, key="a", value="1") == INVALID
    assert talk.refusal("POST", "runs/log-batch", run_id=run, params=[{"key": "a", "value": "1"}]) == INVALID
    talk.ask("POST", "runs/restore", run_id=run)
    talk.ask("POST", "runs/set-tag", run_id=run, key="a", value="1")


def _search(talk, number, clause="", **given):
    answer = talk.ask("POST", "runs/search", experiment_ids=[number], filter=clause, **given)
    return [one["info"]["run_name"] for one in answer.get("runs", [])]


def _three(talk):
    """Three runs: a (FINISHED, started last), b (RUNNING), c (RUNNING, started first)."""
    number = talk.experiment()
    for name, start, level in (("a", 30, "1"), ("b", 20, "2"), ("c", 10, "2")):
        tags = [{"key": "airfoil.level", "value": level}, {"key": f"only {name}", "value": "it's"}]
        run = talk.run(number, run_name=name, start_time=start, tags=tags)
        talk.ask("POST", "runs/log-parameter", run_id=run, key="depth", value=str(start))
        talk.ask("POST", "runs/log-metric", run_id=run, key="loss", value=start / 10, timestamp=1, step=0)
        if name == "a":
            talk.ask("POST", "runs/update", run_id=run, status="FINISHED", end_time=40)
    return number


def they_are_found_by_tag(talk):
    number = _three(talk)
    assert _search(talk, number, "tags.`airfoil.level` = '2'") == ["b", "c"]
    assert _search(talk, number, "tags.airfoil.level = '1'") == ["a"]
    assert _search(talk, number, "tag.`airfoil.level` != '2'") == ["a"]
    assert _search(talk, number, 'tags.`only a` = "it\'s"') == ["a"]
    assert _search(talk, number, "tags.`airfoil.level` LIKE '%'") == ["a", "b", "c"]
    assert _search(talk, number, "tags.`only b` IS NULL") == ["a", "c"]
    assert _search(talk, number, "tags.`only b` IS NOT NULL") == ["b"]
    assert _search(talk, number, "tags.`nobody has it` != '2'") == []


def conditions_are_joined_with_and(talk):
    number = _three(talk)
    running = "attributes.status = 'RUNNING'"
    assert _search(talk, number, f"{running} and tags.`airfoil.level` = '2'") == ["b", "c"]
    assert _search(talk, number, f"{running} AND tags.`airfoil.level` = '1'") == []
    assert _search(talk, number, f"{running} and attributes.start_time < 20 and params.depth = '10'") == ["c"]


def they_are_found_by_attribute_param_and_metric(talk):
    number = _three(talk)
    assert _search(talk, number, "attributes.status = 'FINISHED'") == ["a"]
    assert _search(talk, number, "status != 'FINISHED'") == ["b", "c"]
    assert _search(talk, number, "attributes.start_time >= 20") == ["a", "b"]
    assert _search(talk, number, "attributes.end_time > 0") == ["a"]
    assert _search(talk, number, "attributes.run_name = 'b'") == ["b"]
    assert _search(talk, number, "run_name ILIKE 'B'") == ["b"]
    assert _search(talk, number, "params.depth = '30'") == ["a"]
    assert _search(talk, number, "metrics.loss <= 2") == ["b", "c"]
    run = talk.ask("POST", "runs/search", experiment_ids=[number], filter="run_name = 'c'")["runs"][0]
    listed = f"attributes.run_id IN ('{run['info']['run_id']}')"
    assert _search(talk, number, listed) == ["c"]
    assert run["data"]["params"] == [{"key": "depth", "value": "10"}]


def filters_it_does_not_understand_are_refused(talk):
    number = _three(talk)
    for clause in (
        "tags.a = 1",
        "tags.a = b",
        "tags.a",
        "tags.a = 'x' or tags.b = 'y'",
        "nonsense.a = 'x'",
        "nonsense = 'x'",
        "attributes.start_time = '5'",
        "metrics.loss = 'x'",
        "tags.a > 'x'",
        "status IN ('RUNNING')",
        "status IS NULL",
        "it's",
    ):
        assert talk.refusal("POST", "runs/search", experiment_ids=[number], filter=clause) == INVALID, clause


def the_last_started_come_first_unless_told_otherwise(talk):
    number = _three(talk)
    assert _search(talk, number) == ["a", "b", "c"]
    assert _search(talk, number, order_by=["attributes.start_time ASC"]) == ["c", "b", "a"]
    assert _search(talk, number, order_by=["tags.`airfoil.level` DESC", "start_time ASC"]) == ["c", "b", "a"]
    assert _search(talk, number, order_by=["metrics.loss"]) == ["c", "b", "a"]
    assert _search(talk, number, order_by=["end_time DESC"]) == ["a", "b", "c"]
    refused = talk.refusal("POST", "runs/search", experiment_ids=[number], order_by=["start_time SIDEWAYS"])
    assert refused == INVALID


def they_come_in_pages(talk):
    number = _three(talk)
    token, names = "", []
    for _ in range(3):
        answer = talk.ask(
            "POST",
            "runs/search",
            experiment_ids=[number],
            max_results=1,
            **({"page_token": token} if token else {}),
        )
        names += [one["info"]["run_name"] for one in answer["runs"]]
        token = answer.get("next_page_token", "")
    assert (names, token) == (["a", "b", "c"], "")
    bad = talk.refusal("POST", "runs/search", experiment_ids=[number], page_token="nonsense")
    assert bad == INVALID
    for size in (0, 50_001):
        assert talk.refusal("POST", "runs/search", experiment_ids=[number], max_results=size) == INVALID


def a_search_is_within_experiments_and_among_the_living(talk):
    number = _three(talk)
    other = talk.experiment("other")
    assert _search(talk, other) == []
    answer = talk.ask("POST", "runs/search", experiment_ids=[other, number], filter="run_name = 'b'")
    (found,) = answer["runs"]
    talk.ask("POST", "runs/delete", run_id=found["info"]["run_id"])
    assert _search(talk, number) == ["a", "c"]
    assert _search(talk, number, run_view_type="DELETED_ONLY") == ["b"]
    assert _search(talk, number, run_view_type="ALL") == ["a", "b", "c"]
    assert talk.ask("POST", "runs/search") == {}
    assert talk.refusal("POST", "runs/search", experiment_ids=["x"]) == INVALID


def runs_of_all_experiments_are_asked_for_by_a_tag_with_any_value(talk):
    """As a clean-up looks for everything of Airflow that is still RUNNING."""
    homes = [talk.experiment(stem) for stem in ("a", "b")]
    tags = [{"key": "airflow.dag_id", "value": "it's"}]
    runs = [talk.run(number, tags=tags) for number in homes]
    talk.run(homes[0])
    clause = "tags.`airflow.dag_id` LIKE '%' AND attributes.status = 'RUNNING'"
    answer = talk.ask("POST", "runs/search", experiment_ids=homes, filter=clause, run_view_type="ACTIVE_ONLY")
    assert {one["info"]["run_id"] for one in answer["runs"]} == set(runs)
