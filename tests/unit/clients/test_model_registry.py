"""The registry as MLflow tells it: versions, aliases, pages, and names that no filter can hold."""

import pytest
from tests.unit.clients.wine_shop import WineShop

from airfoil.clients import model_registry
from airfoil.clients.model_registry import ModelVersion
from airfoil.errors import ConfigurationError, ServiceAnswerError, ServiceRefusedError
from airfoil.records import ModelRef

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    server = WineShop()
    server.add_versions("wine", 2)
    server.add_versions("it's", 1)
    return server


def test_all_pages_of_models_are_read(http):
    http.do(model_registry.point_alias("wine", "champion", 2))
    found = http.do(model_registry.models())
    assert [(one.name, one.aliases) for one in found] == [
        ("it's", {}),
        ("wine", {"champion": 2}),
    ]


def test_versions_come_newest_first(http):
    assert [one.version for one in http.do(model_registry.versions("wine"))] == [2, 1]
    assert [one.version for one in http.do(model_registry.versions("it's"))] == [1]
    assert http.do(model_registry.versions("beer")) == []


def test_a_name_with_both_quotes_is_told(http):
    with pytest.raises(ConfigurationError, match="both kinds of quotes"):
        http.do(model_registry.versions("a'b\"c"))


def test_the_version_of_an_alias(http):
    assert http.do(model_registry.version_of("wine", "champion")) is None
    assert http.do(model_registry.version_of("beer", "champion")) is None
    http.do(model_registry.point_alias("wine", "champion", 1))
    assert http.do(model_registry.version_of("wine", "champion")).version == 1
    http.do(model_registry.point_alias("wine", "champion", None))
    assert http.do(model_registry.version_of("wine", "champion")) is None


def test_what_is_not_there_is_none(http):
    assert http.do(model_registry.version("wine", 9)) is None
    assert http.do(model_registry.model("beer")) is None


def test_a_version_is_made_with_its_tags_and_its_model_on_demand(server, http):
    source = server.source()
    made = http.do(model_registry.create_version("beer", source, {"a": "1"}))
    assert made == ModelVersion("beer", 1, source.run_id, source.uri, {"a": "1"}, made.created_ms)
    assert made.created_ms
    assert http.do(model_registry.versions_tagged("a", "1")) == [made]


def test_a_server_that_shows_a_missing_model_to_nobody_is_asked_to_make_it(server, http):
    server.faults.fail_next("*/model-versions/create", 403, code="PERMISSION_DENIED")
    made = http.do(model_registry.create_version("beer", server.source(), {}))
    assert (made.name, made.version) == ("beer", 1)


def test_who_may_not_make_versions_is_told(server, http):
    server.faults.fail_next("*/model-versions/create", 403, times=2, code="PERMISSION_DENIED")
    with pytest.raises(ServiceRefusedError):
        http.do(model_registry.create_version("wine", server.source(), {}))


def test_a_source_that_is_missing_is_told(server, http):
    with pytest.raises(ServiceAnswerError, match="m-7"):
        http.do(
            model_registry.create_version("wine", ModelRef(name="wine", uri="models:/m-7", run_id="1"), {})
        )


def test_deleting_twice_is_fine(server, http):
    http.do(model_registry.delete_version("wine", 1))
    http.do(model_registry.delete_version("wine", 1))
    assert server.alive("wine") == [2]
