"""Model versions: numbered by the server, with a source that must belong to who is named as its maker."""

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")


def _model(talk, stem="wine"):
    name = talk.name(stem)
    talk.ask("POST", "registered-models/create", name=name)
    return name


def numbers_are_given_by_the_server_and_never_again(talk):
    name = _model(talk)
    assert [talk.version(name) for _ in range(3)] == ["1", "2", "3"]
    talk.ask("DELETE", "model-versions/delete", name=name, version="3")
    assert talk.version(name) == "4"


def it_is_kept_as_given(talk):
    name, number = _model(talk), talk.experiment()
    run = talk.run(number)
    made = talk.ask(
        "POST",
        "model-versions/create",
        name=name,
        source="s3://bucket/model",
        run_id=run,
        run_link="http://airflow/runs/1",
        description="d",
        tags=[{"key": "a", "value": "1"}],
    )["model_version"]
    assert (made["status"], made["current_stage"], made["run_id"]) == ("READY", "None", run)
    assert made["run_link"] == "http://airflow/runs/1"
    assert talk.ask("GET", "model-versions/get", name=name, version="1")["model_version"] == made
    uri = talk.ask("GET", "model-versions/get-download-uri", name=name, version="1")
    assert uri == {"artifact_uri": "s3://bucket/model"}


def a_logged_model_is_registered_with_its_id(talk):
    name, number = _model(talk), talk.experiment()
    run = talk.run(number)
    model = talk.logged_model(run, number)
    source = f"models:/{model}"
    refused = talk.refusal("POST", "model-versions/create", name=name, source=source, run_id=run)
    assert refused == INVALID
    made = talk.ask("POST", "model-versions/create", name=name, source=source, model_id=model)[
        "model_version"
    ]
    assert (made["source"], made["run_id"]) == (source, run)
    uri = talk.ask("GET", "model-versions/get-download-uri", name=name, version="1")["artifact_uri"]
    assert uri == talk.ask("GET", f"logged-models/{model}")["model"]["info"]["artifact_uri"]


def a_logged_model_knows_its_versions(talk):
    name = _model(talk)
    model = talk.logged_model()
    for _ in range(2):
        talk.version(name, source=f"models:/{model}", model_id=model)
    (tag,) = talk.ask("GET", f"logged-models/{model}")["model"]["info"]["tags"]
    assert tag["key"] == "mlflow.modelVersions"


def a_logged_model_that_is_not_there_is_an_error_of_the_server(talk):
    name = _model(talk)
    given = {"name": name, "source": "models:/m-none", "model_id": "m-none"}
    assert talk.refusal("POST", "model-versions/create", **given) == (500, "INTERNAL_ERROR")


def a_source_of_somebody_else_is_refused(talk):
    name, number = _model(talk), talk.experiment()
    run, other = talk.run(number), talk.run(number)
    folder = f"mlflow-artifacts:/{number}/{run}/artifacts/model"
    for source in (f"runs:/{run}/model", folder):
        talk.version(name, source=source, run_id=run)
        for stranger in ({}, {"run_id": other}, {"run_id": "f" * 32}):
            refused = talk.refusal("POST", "model-versions/create", name=name, source=source, **stranger)
            assert refused == INVALID
    for source in ("/tmp/model", "file:///tmp/model", "s3://bucket/../model", ""):
        assert talk.refusal("POST", "model-versions/create", name=name, source=source, run_id=run) == INVALID


def a_version_can_be_made_of_a_version(talk):
    name, copy, number = _model(talk), _model(talk, "copy"), talk.experiment()
    run = talk.run(number)
    talk.version(name, run_id=run)
    made = talk.ask("POST", "model-versions/create", name=copy, source=f"models:/{name}/1")["model_version"]
    assert (made["run_id"], made["source"]) == (run, f"models:/{name}/1")
    uri = talk.ask("GET", "model-versions/get-download-uri", name=copy, version="1")
    assert uri == {"artifact_uri": "s3://bucket/model"}


def what_is_not_there_is_said(talk):
    name = _model(talk)
    given = {"name": name, "version": "9"}
    assert talk.refusal("GET", "model-versions/get", **given) == MISSING
    assert talk.refusal("POST", "model-versions/set-tag", **given, key="a", value="1") == MISSING
    assert talk.refusal("DELETE", "model-versions/delete-tag", **given, key="a") == MISSING
    assert talk.refusal("DELETE", "model-versions/delete", **given) == MISSING
    assert talk.refusal("GET", "model-versions/get-download-uri", **given) == MISSING
    assert talk.refusal("GET", "model-versions/get", name=name, version="x") == INVALID
    nobody = talk.name("none")
    assert talk.refusal("POST", "model-versions/create", name=nobody, source="s3://b/m") == MISSING


def it_carries_tags_and_a_description(talk):
    name = _model(talk)
    given = {"name": name, "version": talk.version(name)}
    for value in ("1", "2"):
        talk.ask("POST", "model-versions/set-tag", **given, key="a", value=value)
    talk.ask("POST", "model-versions/set-tag", **given, key="b", value="3")
    for _ in range(2):
        talk.ask("DELETE", "model-versions/delete-tag", **given, key="b")
    talk.ask("PATCH", "model-versions/update", **given, description="ü")
    found = talk.ask("GET", "model-versions/get", **given)["model_version"]
    assert (found["tags"], found["description"]) == ([{"key": "a", "value": "2"}], "ü")
    assert talk.refusal("POST", "model-versions/set-tag", **given, key="it's", value="1") == INVALID
    long = {"key": "a", "value": "x" * 100_001}
    assert talk.refusal("POST", "model-versions/set-tag", **given, **long) == INVALID


def a_deleted_one_takes_its_aliases_with_it(talk):
    name = _model(talk)
    talk.version(name)
    talk.ask("POST", "registered-models/alias", name=name, alias="champion", version="1")
    talk.ask("DELETE", "model-versions/delete", name=name, version="1")
    assert talk.refusal("GET", "model-versions/get", name=name, version="1") == MISSING
    assert talk.refusal("GET", "registered-models/alias", name=name, alias="champion") == INVALID
    assert talk.refusal("DELETE", "model-versions/delete", name=name, version="1") == MISSING
    assert "latest_versions" not in talk.ask("GET", "registered-models/get", name=name)["registered_model"]


def they_are_searched(talk):
    name, number = _model(talk), talk.experiment()
    run = talk.run(number)
    model = talk.logged_model(run, number)
    talk.version(name, tags=[{"key": "airfoil.source", "value": "a"}])
    talk.version(name, run_id=run)
    talk.version(name, source=f"models:/{model}", model_id=model)
    mine = f"name = '{name}'"

    def found(clause, **given):
        answer = talk.ask("GET", "model-versions/search", filter=clause, **given)
        return {one["version"] for one in answer.get("model_versions", [])}

    assert found(mine) == {"1", "2", "3"}
    assert found(f"{mine} and run_id = '{run}'") == {"2", "3"}
    assert found(f"{mine} and source_path = 'models:/{model}'") == {"3"}
    assert found(f"{mine} AND tags.`airfoil.source` = 'a'") == {"1"}
    assert found(f"{mine} and version_number > 1") == {"2", "3"}
    assert found(f"run_id IN ('{run}') and {mine}") == {"2", "3"}
    assert found("name = 'nobody has this name'") == set()
    for clause in ("nonsense = 'x'", "name = x", "version_number = 'x'", "tags.a > 'b'"):
        assert talk.refusal("GET", "model-versions/search", filter=clause) == INVALID
    assert talk.refusal("GET", "model-versions/search", max_results=0) == INVALID
    assert talk.send("POST", "model-versions/search").status_code == 405


def a_search_does_not_tell_aliases_and_comes_in_pages(talk):
    name = _model(talk)
    for _ in range(3):
        talk.version(name)
    talk.ask("POST", "registered-models/alias", name=name, alias="champion", version="1")
    asked = {"filter": f"name = '{name}'", "order_by": "version_number ASC", "max_results": 2}
    first = talk.ask("GET", "model-versions/search", **asked)
    rest = talk.ask("GET", "model-versions/search", **asked, page_token=first["next_page_token"])
    rows = first["model_versions"] + rest["model_versions"]
    assert [row["version"] for row in rows] == ["1", "2", "3"]
    assert not any("aliases" in row for row in rows)
    assert "next_page_token" not in rest


def names_with_one_kind_of_quotes_are_found_by_the_other(talk):
    """A filter has no way to escape a quote."""
    for stem, mark in (("it's", '"'), ('say "it"', "'")):
        name = _model(talk, stem)
        talk.version(name)
        clause = f"name = {mark}{name}{mark}"
        (found,) = talk.ask("GET", "model-versions/search", filter=clause)["model_versions"]
        (model,) = talk.ask("GET", "registered-models/search", filter=clause)["registered_models"]
        assert (found["name"], model["name"]) == (name, name)
