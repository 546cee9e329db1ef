"""A conversation with the fake server."""

from __future__ import annotations

import httpx
import pytest
from tests.mlflow_behaviours.talk import Talk

from airfoil.clients.testing import FakeMlflow


@pytest.fixture
def server() -> FakeMlflow:
    return FakeMlflow()


@pytest.fixture
def talk(server):
    transport = httpx.MockTransport(server)
    with httpx.Client(base_url="http://mlflow.test", transport=transport) as client:
        yield Talk(client)
