"""Experiments: a name belongs to one, deleted or not."""


def it_is_found_by_name_and_by_id(talk):
    number = talk.experiment()
    by_name = talk.ask("GET", "experiments/get-by-name", experiment_name=talk.name())["experiment"]
    assert by_name["experiment_id"] == number
    assert by_name["artifact_location"] == f"mlflow-artifacts:/{number}"
    assert talk.ask("GET", "experiments/get", experiment_id=number)["experiment"] == by_name


def a_name_belongs_to_one(talk):
    talk.experiment()
    assert talk.refusal("POST", "experiments/create", name=talk.name()) == (400, "RESOURCE_ALREADY_EXISTS")


def a_name_stays_taken_after_deletion(talk):
    number = talk.experiment()
    talk.ask("POST", "experiments/delete", experiment_id=number)
    assert talk.refusal("POST", "experiments/create", name=talk.name()) == (400, "RESOURCE_ALREADY_EXISTS")
    found = talk.ask("GET", "experiments/get-by-name", experiment_name=talk.name())["experiment"]
    assert found["lifecycle_stage"] == "deleted"
    talk.ask("POST", "experiments/restore", experiment_id=number)
    found = talk.ask("GET", "experiments/get-by-name", experiment_name=talk.name())["experiment"]
    assert found["lifecycle_stage"] == "active"


def what_is_not_there_is_said(talk):
    missing = (404, "RESOURCE_DOES_NOT_EXIST")
    assert talk.refusal("GET", "experiments/get-by-name", experiment_name=talk.name("none")) == missing
    assert talk.refusal("GET", "experiments/get", experiment_id="999999") == missing
    assert talk.refusal("POST", "experiments/delete", experiment_id="999999") == missing
    assert talk.refusal("POST", "experiments/restore", experiment_id="999999") == missing


def garbage_is_refused(talk):
    invalid = (400, "INVALID_PARAMETER_VALUE")
    assert talk.refusal("GET", "experiments/get", experiment_id="x") == invalid
    assert talk.refusal("POST", "experiments/create", name="") == invalid
    assert talk.refusal("POST", "experiments/create") == invalid
    assert talk.refusal("POST", "experiments/create", name="x" * 501) == invalid
    assert talk.refusal("GET", "experiments/get-by-name") == invalid


def renaming_gives_the_name_free(talk):
    number = talk.experiment()
    talk.ask("POST", "experiments/update", experiment_id=number, new_name=talk.name("new"))
    assert talk.ask("GET", "experiments/get-by-name", experiment_name=talk.name("new"))
    assert talk.experiment() != number


def renaming_to_a_taken_name_is_refused_in_other_words(talk):
    """Not RESOURCE_ALREADY_EXISTS: a claim of a name must not look at the code alone."""
    talk.experiment()
    other = talk.experiment("other")
    refused = talk.refusal("POST", "experiments/update", experiment_id=other, new_name=talk.name())
    assert refused == (400, "BAD_REQUEST")


def a_deleted_one_cannot_be_renamed_and_takes_no_runs(talk):
    number = talk.experiment()
    talk.ask("POST", "experiments/delete", experiment_id=number)
    refused = talk.refusal("POST", "experiments/update", experiment_id=number, new_name=talk.name("new"))
    assert refused == (500, "INVALID_STATE")
    assert talk.refusal("POST", "runs/create", experiment_id=number) == (400, "INVALID_PARAMETER_VALUE")
    gone = talk.refusal("POST", "experiments/delete", experiment_id=number)
    assert gone == (404, "RESOURCE_DOES_NOT_EXIST")


def its_runs_go_and_come_back_with_it(talk):
    number = talk.experiment()
    run = talk.run(number)
    talk.ask("POST", "experiments/delete", experiment_id=number)
    assert talk.ask("GET", "runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "deleted"
    talk.ask("POST", "experiments/restore", experiment_id=number)
    assert talk.ask("GET", "runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "active"


def it_carries_tags(talk):
    number = talk.ask(
        "POST", "experiments/create", name=talk.name(), tags=[{"key": "mlflow.note.content", "value": "ü"}]
    )["experiment_id"]
    talk.ask("POST", "experiments/set-experiment-tag", experiment_id=number, key="team", value="a")
    tags = talk.ask("GET", "experiments/get", experiment_id=number)["experiment"]["tags"]
    assert {row["key"]: row["value"] for row in tags} == {"mlflow.note.content": "ü", "team": "a"}


def they_are_searched_by_name_and_by_tag(talk):
    for stem in ("a", "b", "c"):
        talk.ask(
            "POST", "experiments/create", name=talk.name(stem), tags=[{"key": "k", "value": talk.name("v")}]
        )
    found = talk.ask("POST", "experiments/search", max_results=5, filter=f"name = '{talk.name('b')}'")
    assert [one["name"] for one in found["experiments"]] == [talk.name("b")]
    tagged = f"tags.k = '{talk.name('v')}'"
    like = f"{tagged} and name LIKE '%{talk.name('a')}'"
    found = talk.ask("POST", "experiments/search", max_results=5, filter=like)
    assert [one["name"] for one in found["experiments"]] == [talk.name("a")]
    first = talk.ask("POST", "experiments/search", max_results=2, filter=tagged, order_by=["name ASC"])
    rest = talk.ask(
        "POST",
        "experiments/search",
        max_results=2,
        filter=tagged,
        order_by=["name ASC"],
        page_token=first["next_page_token"],
    )
    names = [one["name"] for answer in (first, rest) for one in answer["experiments"]]
    assert names == [talk.name(stem) for stem in "abc"]
    assert "next_page_token" not in rest


def deleted_ones_are_found_on_request(talk):
    number = talk.experiment()
    talk.ask("POST", "experiments/delete", experiment_id=number)
    clause = {"filter": f"name = '{talk.name()}'", "max_results": 5}
    assert talk.ask("POST", "experiments/search", **clause) == {}
    for view in ("DELETED_ONLY", "ALL"):
        found = talk.ask("POST", "experiments/search", view_type=view, **clause)["experiments"]
        assert [one["experiment_id"] for one in found] == [number]


def a_search_needs_a_size_of_page(talk):
    assert talk.refusal("POST", "experiments/search") == (400, "INVALID_PARAMETER_VALUE")
    assert talk.refusal("POST", "experiments/search", max_results=50_001) == (400, "INVALID_PARAMETER_VALUE")
