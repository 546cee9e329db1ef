"""Registered models: names that belong to one, tags, and aliases that point at versions."""

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")


def _model(talk, stem="wine", versions=0):
    name = talk.name(stem)
    talk.ask("POST", "registered-models/create", name=name)
    for _ in range(versions):
        talk.version(name)
    return name


def a_name_belongs_to_one(talk):
    name = talk.name()
    tags = [{"key": "team", "value": "a"}]
    made = talk.ask("POST", "registered-models/create", name=name, description="d", tags=tags)
    assert made["registered_model"]["tags"] == tags
    refused = talk.refusal("POST", "registered-models/create", name=name)
    assert refused == (400, "RESOURCE_ALREADY_EXISTS")
    assert talk.ask("GET", "registered-models/get", name=name) == made


def names_it_does_not_take_are_refused(talk):
    for name in ("", " ", "a/b", "a:b", "."):
        assert talk.refusal("POST", "registered-models/create", name=name) == INVALID
    assert talk.refusal("POST", "registered-models/create") == INVALID
    assert talk.refusal("GET", "registered-models/get", name="a/b") == INVALID


def what_is_not_there_is_said(talk):
    nobody = talk.name("none")
    assert talk.refusal("GET", "registered-models/get", name=nobody) == MISSING
    assert talk.refusal("POST", "registered-models/set-tag", name=nobody, key="a", value="1") == MISSING
    assert talk.refusal("DELETE", "registered-models/delete", name=nobody) == MISSING
    assert talk.refusal("POST", "registered-models/get-latest-versions", name=nobody) == MISSING


def it_carries_tags_and_a_description(talk):
    name = _model(talk)
    talk.ask("POST", "registered-models/set-tag", name=name, key="a", value="1")
    talk.ask("POST", "registered-models/set-tag", name=name, key="b", value="2")
    for _ in range(2):
        talk.ask("DELETE", "registered-models/delete-tag", name=name, key="b")
    talk.ask("PATCH", "registered-models/update", name=name, description="ü")
    found = talk.ask("GET", "registered-models/get", name=name)["registered_model"]
    assert (found["tags"], found["description"]) == ([{"key": "a", "value": "1"}], "ü")
    assert talk.refusal("POST", "registered-models/set-tag", name=name, key="it's", value="1") == INVALID
    long = {"key": "a", "value": "x" * 100_001}
    assert talk.refusal("POST", "registered-models/set-tag", name=name, **long) == INVALID


def an_alias_points_at_one_version_and_moves(talk):
    name = _model(talk, versions=2)
    for version in ("1", "2"):
        talk.ask("POST", "registered-models/alias", name=name, alias="champion", version=version)
        found = talk.ask("GET", "registered-models/alias", name=name, alias="champion")["model_version"]
        assert (found["version"], found["aliases"]) == (version, ["champion"])
    aliases = talk.ask("GET", "registered-models/get", name=name)["registered_model"]["aliases"]
    assert aliases == [{"alias": "champion", "version": "2"}]


def an_alias_that_is_not_there_is_an_invalid_parameter(talk):
    """And not a missing resource: who asks for it must look at the status 400 too."""
    name = _model(talk, versions=1)
    assert talk.refusal("GET", "registered-models/alias", name=name, alias="champion") == INVALID
    other = talk.name("none")
    assert talk.refusal("GET", "registered-models/alias", name=other, alias="champion") == MISSING


def an_alias_is_taken_away_once_or_twice(talk):
    name = _model(talk, versions=1)
    talk.ask("POST", "registered-models/alias", name=name, alias="champion", version="1")
    for _ in range(2):
        talk.ask("DELETE", "registered-models/alias", name=name, alias="champion")
    assert talk.refusal("GET", "registered-models/alias", name=name, alias="champion") == INVALID


def aliases_it_does_not_take_are_refused(talk):
    name = _model(talk, versions=1)
    for alias in ("latest", "LATEST", "v1", "V12", "a b", "it's", "", "x" * 256):
        assert talk.refusal("POST", "registered-models/alias", name=name, alias=alias, version="1") == INVALID
    given = {"name": name, "alias": "champion"}
    assert talk.refusal("POST", "registered-models/alias", **given, version="9") == MISSING
    assert talk.refusal("POST", "registered-models/alias", **given, version="x") == INVALID
    assert talk.refusal("POST", "registered-models/alias", **given) == INVALID


def latest_is_the_highest_number(talk):
    name = _model(talk, versions=2)
    assert (
        talk.ask("GET", "registered-models/alias", name=name, alias="latest")["model_version"]["version"]
        == "2"
    )
    newest = talk.ask("GET", "registered-models/get", name=name)["registered_model"]["latest_versions"]
    assert [one["version"] for one in newest] == ["2"]
    listed = talk.ask("POST", "registered-models/get-latest-versions", name=name)["model_versions"]
    assert [one["version"] for one in listed] == ["2"]
    empty = _model(talk, "empty")
    assert talk.refusal("GET", "registered-models/alias", name=empty, alias="latest") == MISSING
    assert talk.ask("POST", "registered-models/get-latest-versions", name=empty) == {}


def they_are_searched_by_name_and_tag(talk):
    for stem in ("a", "b", "c"):
        talk.ask(
            "POST",
            "registered-models/create",
            name=talk.name(stem),
            tags=[{"key": "k", "value": talk.name(f"v{stem}")}, {"key": "all", "value": talk.name()}],
        )
    mine = f"tags.all = '{talk.name()}'"

    def found(clause, **given):
        answer = talk.ask("GET", "registered-models/search", filter=clause, **given)
        return [one["name"] for one in answer.get("registered_models", [])]

    assert found(mine) == [talk.name(stem) for stem in "abc"]
    assert found(f"name = '{talk.name('b')}'") == [talk.name("b")]
    assert found(f"name LIKE '%{talk.name('b')}%' and {mine}") == [talk.name("b")]
    assert found(f"{mine} and tags.k = '{talk.name('vc')}'") == [talk.name("c")]
    assert found(mine, order_by="name DESC") == [talk.name(stem) for stem in "cba"]
    page = talk.ask("GET", "registered-models/search", filter=mine, max_results=2)
    rest = found(mine, max_results=2, page_token=page["next_page_token"])
    assert rest == [talk.name("c")]
    for clause in ("nonsense = 'x'", "name = x", "name > 'x'"):
        assert talk.refusal("GET", "registered-models/search", filter=clause) == INVALID
    assert talk.refusal("GET", "registered-models/search", max_results=1001) == INVALID
    assert talk.send("POST", "registered-models/search").status_code == 405


def a_deleted_one_gives_its_name_free(talk):
    name = _model(talk, versions=1)
    talk.ask("DELETE", "registered-models/delete", name=name)
    assert talk.refusal("GET", "registered-models/get", name=name) == MISSING
    assert talk.refusal("GET", "model-versions/get", name=name, version="1") == MISSING
    assert _model(talk) == name
    assert talk.version(name) == "1"
