from __future__ import annotations

import pytest

from airfoil.clients.mlflow_server import MlflowServer
from airfoil.errors import ConfigurationError, ServiceUnreachableError
from airfoil.provider import mlflow_places
from airfoil.provider.mlflow_places import MlflowPlace, server_of

pytestmark = pytest.mark.unit


class Http:
    """A connection that is counted."""

    made: list[Http]

    def __init__(self, server):
        self.server = server
        self.closed = False
        type(self).made.append(self)

    def do(self, conversation):
        return conversation

    def close(self):
        self.closed = True


class Scene:
    def __init__(self):
        Http.made = []
        self.server = MlflowServer("http://one:5000", timeout_seconds=60, tries=5)
        self.error = None
        self.read = 0
        self.now = 0.0
        self.place = MlflowPlace("m", find=self.find, connect=Http, clock=lambda: self.now)

    def find(self, conn_id):
        assert conn_id == "m"
        self.read += 1
        if self.error:
            raise self.error
        return self.server


@pytest.fixture
def scene():
    return Scene()


def test_the_connection_is_read_once_in_a_while_and_kept(scene):
    for _ in range(10):
        assert scene.place.do("answer") == "answer"
    assert (scene.read, len(Http.made)) == (1, 1)
    scene.now += mlflow_places.READ_AGAIN_SECONDS
    scene.place.do("answer")
    assert (scene.read, len(Http.made)) == (2, 1)


def test_patience_is_short_because_the_next_round_comes(scene):
    scene.place.do("answer")
    server = Http.made[0].server
    assert (server.tries, server.timeout_seconds) == (1, mlflow_places.LONGEST_REQUEST_SECONDS)


def test_a_failure_is_told_once_and_the_connection_read_again(scene, caplog):
    scene.place.do("answer")
    for _ in range(3):
        scene.place.failed(ServiceUnreachableError("MLflow cannot be reached"))
    scene.server = MlflowServer("http://two:5000")
    scene.place.do("answer")
    scene.place.went_well()
    scene.place.went_well()
    assert [one.closed for one in Http.made] == [True, False]
    assert Http.made[1].server.uri == "http://two:5000"
    told = [record for record in caplog.records if "cannot be reached" in record.getMessage()]
    assert len(told) == 1


def test_a_missing_connection_is_not_asked_for_all_the_time(scene):
    scene.error = ConfigurationError("Airflow has no connection 'm'")
    assert scene.place.usable
    with pytest.raises(ConfigurationError):
        scene.place.do("answer")
    scene.place.failed(scene.error)
    assert not scene.place.usable
    scene.now += mlflow_places.READ_AGAIN_SECONDS
    scene.error = None
    assert scene.place.usable
    assert scene.place.do("answer") == "answer"


def test_a_connection_that_was_removed_closes_the_old_one(scene):
    scene.place.do("answer")
    scene.error = ConfigurationError("gone")
    scene.now += mlflow_places.READ_AGAIN_SECONDS
    with pytest.raises(ConfigurationError):
        scene.place.do("answer")
    assert Http.made[0].closed


def test_a_server_is_read_from_airflow(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_M", "mlflow://ann:secret@host:5001")
    assert server_of("m").uri == "http://host:5001"


def test_no_such_connection_says_what_to_do():
    with pytest.raises(ConfigurationError, match="no connection 'nowhere'") as caught:
        server_of("nowhere")
    assert "mlflow_conn_ids" in caught.value.next_move
