"""What is logged to runs: params are written once, metrics keep every point, batches are all or nothing."""

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
LARGEST = 1.7976931348623157e308


def a_param_is_written_once(talk):
    """The cell that claims, registrations and the ledger are built on."""
    run = talk.run()
    for _ in range(2):
        talk.ask("POST", "runs/log-parameter", run_id=run, key="a", value="1")
    assert talk.refusal("POST", "runs/log-parameter", run_id=run, key="a", value="2") == INVALID
    assert talk.refusal("POST", "runs/log-parameter", run_id=run, key="a", value="") == INVALID
    assert talk.read(run)["params"] == {"a": "1"}


def a_param_may_be_empty_and_is_text(talk):
    run = talk.run()
    talk.ask("POST", "runs/log-parameter", run_id=run, key="empty", value="")
    assert talk.refusal("POST", "runs/log-parameter", run_id=run, key="number", value=5) == INVALID
    assert talk.read(run)["params"] == {"empty": ""}


def a_long_param_is_cut_without_a_word(talk):
    run = talk.run()
    talk.ask("POST", "runs/log-parameter", run_id=run, key="a", value="x" * 6001)
    talk.ask("POST", "runs/log-parameter", run_id=run, key="a", value="x" * 6000 + "y")
    assert talk.read(run)["params"]["a"] == "x" * 6000


def keys_it_does_not_take_are_refused(talk):
    run = talk.run()
    for key in ("it's", "ü,", "../a", "k" * 251, ""):
        assert talk.refusal("POST", "runs/log-parameter", run_id=run, key=key, value="1") == INVALID
        metric = {"key": key, "value": 1, "timestamp": 1}
        assert talk.refusal("POST", "runs/log-batch", run_id=run, metrics=[metric]) == INVALID
    talk.ask("POST", "runs/log-parameter", run_id=run, key="ü", value="1")
    nobody = talk.refusal("POST", "runs/log-parameter", run_id="f" * 32, key="a", value="1")
    assert nobody == MISSING


def a_batch_holds_all_three(talk):
    run = talk.run()
    talk.ask(
        "POST",
        "runs/log-batch",
        run_id=run,
        metrics=[{"key": "loss", "value": 0.5, "timestamp": 1, "step": 0}],
        params=[{"key": "depth", "value": "3"}],
        tags=[{"key": "team", "value": "a"}, {"key": "mlflow.runName", "value": "two"}],
    )
    assert talk.read(run) == {
        "metrics": {"loss": 0.5},
        "params": {"depth": "3"},
        "tags": {"team": "a", "mlflow.runName": "two"},
    }
    talk.ask("POST", "runs/log-batch", run_id=run)


def a_batch_with_a_changed_param_leaves_nothing(talk):
    run = talk.run()
    talk.ask("POST", "runs/log-batch", run_id=run, params=[{"key": "a", "value": "1"}])
    params = [{"key": "b", "value": "1"}, {"key": "a", "value": "2"}]
    metric = {"key": "loss", "value": 1, "timestamp": 1}
    tags = [{"key": "t", "value": "1"}]
    refused = talk.refusal("POST", "runs/log-batch", run_id=run, params=params, metrics=[metric], tags=tags)
    assert refused == INVALID
    assert talk.read(run) == {"params": {"a": "1"}, "tags": {"mlflow.runName": "one"}}
    same = [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]
    talk.ask("POST", "runs/log-batch", run_id=run, params=same)


def a_batch_has_limits(talk):
    run = talk.run()

    def rows(count):
        return [{"key": f"k{number}", "value": "1"} for number in range(count)]

    def points(count):
        return [{"key": "loss", "value": number, "timestamp": 1, "step": number} for number in range(count)]

    assert talk.refusal("POST", "runs/log-batch", run_id=run, params=rows(101)) == INVALID
    assert talk.refusal("POST", "runs/log-batch", run_id=run, tags=rows(101)) == INVALID
    assert talk.refusal("POST", "runs/log-batch", run_id=run, metrics=points(1001)) == INVALID
    assert talk.refusal("POST", "runs/log-batch", run_id=run, metrics=points(1000), params=rows(1)) == INVALID
    talk.ask("POST", "runs/log-batch", run_id=run, params=rows(100), metrics=points(900))
    twice = [{"key": "d", "value": "1"}, {"key": "d", "value": "1"}]
    assert talk.refusal("POST", "runs/log-batch", run_id=run, params=twice) == INVALID


def a_batch_of_many_bytes_is_taken(talk):
    """MLflow names a limit of 1 MB, and does not hold it."""
    run = talk.run()
    params = [{"key": f"k{number}", "value": "x" * 6000} for number in range(100)]
    tags = [{"key": f"k{number}", "value": "x" * 8000} for number in range(100)]
    talk.ask("POST", "runs/log-batch", run_id=run, params=params, tags=tags)
    assert len(talk.read(run)["params"]) == 100


def of_a_metric_every_point_is_kept_and_the_latest_shown(talk):
    run = talk.run()
    for value, time_ms, step in ((3, 5, 1), (1, 6, 2), (2, 7, 0)):
        talk.ask("POST", "runs/log-metric", run_id=run, key="loss", value=value, timestamp=time_ms, step=step)
    assert talk.read(run)["metrics"] == {"loss": 1.0}
    history = talk.ask("GET", "metrics/get-history", run_id=run, metric_key="loss")["metrics"]
    assert [(point["value"], point["step"]) for point in history] == [(3, 1), (1, 2), (2, 0)]


def the_same_point_sent_again_is_one(talk):
    """What lets a batch be repeated after a lost answer."""
    run = talk.run()
    points = [{"key": "loss", "value": value, "timestamp": 5, "step": 1} for value in (0.5, "NaN", 0.5)]
    for _ in range(2):
        talk.ask("POST", "runs/log-batch", run_id=run, metrics=points)
    history = talk.ask("GET", "metrics/get-history", run_id=run, metric_key="loss")["metrics"]
    assert sorted(str(point["value"]) for point in history) == ["0.5", "NaN"]


def numbers_that_json_does_not_have_travel_as_words(talk):
    run = talk.run()
    points = [
        {"key": key, "value": value, "timestamp": 1, "step": 0}
        for key, value in (("nan", "NaN"), ("up", "Infinity"), ("down", "-Infinity"))
    ]
    talk.ask("POST", "runs/log-batch", run_id=run, metrics=points)
    assert talk.read(run)["metrics"] == {"nan": "NaN", "up": LARGEST, "down": -LARGEST}


def a_metric_needs_key_value_and_time(talk):
    run = talk.run()
    whole = {"key": "loss", "value": 1, "timestamp": 1}
    for name in whole:
        part = {key: value for key, value in whole.items() if key != name}
        assert talk.refusal("POST", "runs/log-batch", run_id=run, metrics=[part]) == INVALID
        assert talk.refusal("POST", "runs/log-metric", run_id=run, **part) == INVALID
    before_1970 = {**whole, "timestamp": -1}
    assert talk.refusal("POST", "runs/log-batch", run_id=run, metrics=[before_1970]) == INVALID


def a_history_comes_in_pages(talk):
    run = talk.run()
    points = [{"key": "loss", "value": step, "timestamp": step, "step": step} for step in range(3)]
    talk.ask("POST", "runs/log-batch", run_id=run, metrics=points)
    asked = {"run_id": run, "metric_key": "loss", "max_results": 2}
    first = talk.ask("GET", "metrics/get-history", **asked)
    rest = talk.ask("GET", "metrics/get-history", **asked, page_token=first["next_page_token"])
    assert [point["step"] for point in first["metrics"] + rest["metrics"]] == [0, 1, 2]
    assert "next_page_token" not in rest
    assert talk.refusal("GET", "metrics/get-history", **{**asked, "max_results": 0}) == INVALID


def of_what_is_not_there_the_history_is_empty(talk):
    run = talk.run()
    assert talk.ask("GET", "metrics/get-history", run_id=run, metric_key="loss") == {}
    assert talk.ask("GET", "metrics/get-history", run_id="f" * 32, metric_key="loss") == {}
    assert talk.refusal("GET", "metrics/get-history", run_id=run) == INVALID


def a_dataset_is_noted_once(talk):
    run = talk.run()
    dataset = {"name": "wine", "digest": "abc", "source_type": "local", "source": '{"uri": "s3://x"}'}
    noted = {"tags": [{"key": "mlflow.data.context", "value": "training"}], "dataset": dataset}
    for _ in range(2):
        talk.ask("POST", "runs/log-inputs", run_id=run, datasets=[noted])
    assert talk.ask("GET", "runs/get", run_id=run)["run"]["inputs"] == {"dataset_inputs": [noted]}
    long = {**dataset, "digest": "x" * 37}
    assert talk.refusal("POST", "runs/log-inputs", run_id=run, datasets=[{"dataset": long}]) == INVALID


def a_model_is_linked_once(talk):
    """A repeated link is refused, also one that is repeated because its answer was lost."""
    number = talk.experiment()
    run = talk.run(number)
    model = talk.logged_model(run, number)
    link = {"run_id": run, "models": [{"model_id": model, "step": 0}]}
    talk.ask("POST", "runs/outputs", **link)
    assert talk.refusal("POST", "runs/outputs", **link) == (400, "BAD_REQUEST")
    outputs = talk.ask("GET", "runs/get", run_id=run)["run"]["outputs"]
    assert outputs == {"model_outputs": [{"model_id": model, "step": 0}]}
    assert talk.refusal("POST", "runs/outputs", run_id=run) == INVALID
