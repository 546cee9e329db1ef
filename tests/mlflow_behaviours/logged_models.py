"""Logged models: what a run stores before anybody registers it."""

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")


def it_begins_pending_with_an_address_of_its_own(talk):
    number = talk.experiment()
    run = talk.run(number)
    made = talk.ask(
        "POST",
        "logged-models",
        experiment_id=number,
        name="forest",
        source_run_id=run,
        tags=[{"key": "a", "value": "b"}],
        params=[{"key": "p", "value": "q"}],
    )["model"]
    info = made["info"]
    assert info["status"] == "LOGGED_MODEL_PENDING"
    assert info["artifact_uri"] == f"mlflow-artifacts:/{number}/models/{info['model_id']}/artifacts"
    assert info["source_run_id"] == run
    assert talk.ask("GET", f"logged-models/{info['model_id']}")["model"] == made


def without_a_name_it_gets_one(talk):
    assert talk.ask("POST", "logged-models", experiment_id=talk.experiment())["model"]["info"]["name"]


def names_with_signs_of_addresses_are_refused(talk):
    number = talk.experiment()
    for name in ("a/b", "a:b", "a.b", "a%b", "it's", 'a"b'):
        assert talk.refusal("POST", "logged-models", experiment_id=number, name=name) == INVALID
    assert talk.refusal("POST", "logged-models", experiment_id="999999", name="forest") == MISSING


def how_storing_it_ended_is_kept(talk):
    model = talk.logged_model()
    for status in ("LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"):
        talk.ask("PATCH", f"logged-models/{model}", model_id=model, status=status)
        assert talk.ask("GET", f"logged-models/{model}")["model"]["info"]["status"] == status


def what_is_not_there_is_said(talk):
    assert talk.refusal("GET", "logged-models/m-none") == MISSING
    ready = {"model_id": "m-none", "status": "LOGGED_MODEL_READY"}
    assert talk.refusal("PATCH", "logged-models/m-none", **ready) == MISSING
    assert talk.refusal("PATCH", "logged-models/m-none/tags", tags=[]) == MISSING
    assert talk.refusal("DELETE", "logged-models/m-none") == MISSING


def it_carries_tags(talk):
    model = talk.logged_model()
    talk.ask(
        "PATCH", f"logged-models/{model}/tags", tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    )
    talk.ask("PATCH", f"logged-models/{model}/tags", tags=[{"key": "a", "value": "3"}])
    talk.ask("DELETE", f"logged-models/{model}/tags/b")
    assert talk.refusal("DELETE", f"logged-models/{model}/tags/b") == MISSING
    assert talk.ask("GET", f"logged-models/{model}")["model"]["info"]["tags"] == [{"key": "a", "value": "3"}]


def a_deleted_one_is_gone(talk):
    number = talk.experiment()
    model = talk.logged_model(experiment=number)
    talk.ask("DELETE", f"logged-models/{model}")
    assert talk.refusal("GET", f"logged-models/{model}") == MISSING
    assert talk.ask("POST", "logged-models/search", experiment_ids=[number]) == {}


def they_are_found_by_attribute_and_tag(talk):
    number = talk.experiment()
    run = talk.run(number)
    first = talk.logged_model(run, number)
    second = talk.logged_model(None, number)
    talk.ask("PATCH", f"logged-models/{first}/tags", tags=[{"key": "airfoil.key", "value": "x"}])

    def found(clause, **given):
        asked = {"experiment_ids": [number], "filter": clause, **given}
        answer = talk.ask("POST", "logged-models/search", **asked)
        return [one["info"]["model_id"] for one in answer.get("models", [])]

    assert found(f"source_run_id = '{run}'") == [first]
    assert found(f"name = 'forest' AND source_run_id = '{run}'") == [first]
    assert found("tags.`airfoil.key` = 'x'") == [first]
    assert set(found("name = 'forest'")) == {first, second}
    assert found("name = 'other'") == []
    oldest = [{"field_name": "creation_timestamp", "ascending": True}]
    assert set(found("", order_by=oldest)) == {first, second}
    assert talk.ask("POST", "logged-models/search", experiment_ids=[]) == {}
    assert talk.refusal("POST", "logged-models/search") == INVALID


def they_come_in_pages(talk):
    number = talk.experiment()
    models = {talk.logged_model(None, number) for _ in range(3)}
    first = talk.ask("POST", "logged-models/search", experiment_ids=[number], max_results=2)
    token = first["next_page_token"]
    rest = talk.ask("POST", "logged-models/search", experiment_ids=[number], max_results=2, page_token=token)
    assert {one["info"]["model_id"] for one in first["models"] + rest["models"]} == models
    assert "next_page_token" not in rest
