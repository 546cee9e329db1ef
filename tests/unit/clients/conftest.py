"""The clients of these tests talk to the fake server that ships."""

from __future__ import annotations

import httpx
import pytest

from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.clients.tracking import Tracking


@pytest.fixture
def server() -> FakeMlflow:
    return FakeMlflow()


@pytest.fixture
def http(server):
    address = MlflowServer("http://mlflow.test:5000", tries=1)
    with MlflowHttp(address, transport=httpx.MockTransport(server)) as client:
        yield client


@pytest.fixture
def tracking(http):
    return Tracking(http, clock=lambda: 1000.5)
