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


class Clock:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.5

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def http(server, clock):
    address = MlflowServer("http://mlflow.test:5000", tries=1)
    with MlflowHttp(address, pause=clock.wait, transport=httpx.MockTransport(server)) as client:
        yield client


@pytest.fixture
def tracking(http, clock):
    return Tracking(http, clock=clock, pause=clock.wait)
