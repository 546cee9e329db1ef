"""A deployed model is asked; one that has no usable answer is taken back through the ledger."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.model_endpoints import Predictions
from airfoil.clients.object_store import FolderStore
from airfoil.errors import ConfigurationError, InternalError, ServiceUnreachableError
from airfoil.provider.operators.promote_model import PromoteModelOperator
from airfoil.provider.operators.smoke_test import SmokeTestOperator
from airfoil.records import ModelRef

pytestmark = pytest.mark.unit


class Endpoint:
    """Says what it is told to, or raises it."""

    name = "a test"

    def __init__(self, says):
        self.says, self.asked = says, []

    def predict(self, model, alias, rows, *, alone=0):
        self.asked.append((model, alias, rows))
        if isinstance(self.says, Exception):
            raise self.says
        version, predictions = self.says
        return Predictions(
            model=model, alias=alias, version=version, predictions=predictions, load_seconds=0.1
        )


@pytest.fixture
def data(tmp_path):
    pa = pytest.importorskip("pyarrow")
    return FolderStore(tmp_path).write("held_out", pa.table({"x": [1.0, 2.0, 3.0], "kind": [0, 1, 0]}))


@pytest.fixture
def deploy(registry, run):
    """Promote a version, as the task before."""
    registry.add_versions("wine", 3)

    def deploy(number):
        ref = ModelRef(name="wine", uri=f"models:/wine/{number}", run_id="r", version=number)
        return run(PromoteModelOperator(task_id=f"promote_{number}", version=ref, alias="champion"))

    return deploy


def smoke(deployed, data, says):
    endpoint = Endpoint(says)

    class Asking(SmokeTestOperator):
        def endpoint(self, server):
            return endpoint

    return Asking(task_id="smoke_test", deployed=deployed, data=data, target="kind", rows=2), endpoint


def history(registry):
    with registry.http() as http:
        return http.do(Ledger(Claims()).entries("wine", "champion"))


def test_a_model_that_answers_stays(registry, run, deploy, data):
    task, endpoint = smoke(deploy(1), data, (1, (0, 1)))
    assert run(task)["predictions"] == [0, 1]
    assert endpoint.asked == [("wine", "champion", [{"x": 1.0}, {"x": 2.0}])]
    assert registry.alias("wine") == 1


@pytest.mark.parametrize(
    "says",
    [
        ConfigurationError("it holds types that are not trusted"),
        InternalError("no memory"),
        (2, (0,)),
        (2, (0, float("nan"))),
    ],
    ids=["unloadable", "died", "too few", "nan"],
)
def test_one_that_has_no_answer_goes_back_and_is_not_tried_again(registry, run, deploy, data, says):
    deploy(1)
    task, _ = smoke(deploy(2), data, says)
    with pytest.raises(AirflowFailException):
        run(task)
    assert registry.alias("wine") == 1
    last = history(registry)[-1]
    assert (last.kind, last.from_version, last.to_version) == ("rollback", 2, 1)
    assert last.reason.startswith("the smoke test failed: ")


def test_the_first_of_its_name_is_taken_away(registry, run, deploy, data):
    task, _ = smoke(deploy(1), data, InternalError("no memory"))
    with pytest.raises(AirflowFailException, match="no memory"):
        run(task)
    assert registry.alias("wine") is None
    assert history(registry)[-1].kind == "remove"


def test_what_somebody_moved_meanwhile_is_left_alone(registry, run, deploy, data):
    deploy(1)
    second = deploy(2)
    deploy(3)
    with pytest.raises(AirflowFailException, match="version 3 by now, not 2"):
        run(smoke(second, data, (3, (0, 1)))[0])
    with pytest.raises(AirflowFailException, match="no memory"):
        run(smoke(second, data, InternalError("no memory"))[0])
    assert registry.alias("wine") == 3


def test_a_neighbour_that_is_down_takes_nothing_back(registry, run, deploy, data):
    deploy(1)
    with pytest.raises(ServiceUnreachableError):
        run(smoke(deploy(2), data, ServiceUnreachableError("too slow"))[0])
    assert registry.alias("wine") == 2


def test_it_survives_a_serialize_round_trip():
    with DAG("shop", schedule=None) as dag:
        SmokeTestOperator(task_id="smoke", deployed={"a": 1}, data={"uri": "x"}, target="kind")
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("smoke")
    assert (back.deployed, back.data, back.target) == ({"a": 1}, {"uri": "x"}, "kind")
