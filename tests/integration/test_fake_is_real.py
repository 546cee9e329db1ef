"""The fake that ships and a real MLflow server: the same behaviours, and the same answer to every request."""

from __future__ import annotations

import httpx
import pytest
from tests import mlflow_behaviours
from tests.integration.mlflow_servers import plain_mlflow
from tests.mlflow_behaviours.talk import Talk, behaviours_of, modules_of

from airfoil.clients.testing import FakeMlflow

pytestmark = pytest.mark.integration

BEHAVIOURS = [
    pytest.param(behaviour, id=f"{module.__name__.rpartition('.')[2]}-{behaviour.__name__}")
    for module in modules_of(mlflow_behaviours)
    for behaviour in behaviours_of(module)
]


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with (
        plain_mlflow(tmp_path_factory.mktemp("mlflow")) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def fake():
    transport = httpx.MockTransport(FakeMlflow())
    with httpx.Client(base_url="http://mlflow.test", transport=transport) as client:
        yield client


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_both_behave_and_answer_alike(real, fake, behaviour):
    theirs, ours = Talk(real), Talk(fake)
    behaviour(theirs)
    behaviour(ours)
    assert ours.comparable() == theirs.comparable()
