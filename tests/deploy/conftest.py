"""What the tests of deployments share: an engine, and one server that all of them use.

The server takes 3 GiB, some minutes of all processors, and for its stand-ins a machine whose administrator we are: it
is started where the tests may install things, and else skipped. KEEP=1 leaves it running, for a person who wants to
look; SERVER=FOLDER uses the one whose files lie there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deploy import compose_server, engine, pretended_machine
from tests.sizes import FULL


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The files of a server on a machine where Docker only pretends."""
    return pretended_machine.written(tmp_path)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[None]:
    """A Docker engine, or the reason why there is none."""
    with engine.running():
        yield


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[compose_server.Server]:
    """A whole server with two workers, from a fresh copy of this checkout."""
    running = os.environ.get("SERVER")
    if not (engine.MAY_INSTALL or FULL or running):
        pytest.skip(
            "the Compose server is met with CI=true, SYSTEM=1 or FULL=1, or where SERVER=FOLDER names one that runs"
        )
    request.getfixturevalue("docker_engine")
    if running:
        yield compose_server.attached(Path(running))
        return
    made = compose_server.made(tmp_path_factory.mktemp("server"))
    with compose_server.running(made) as found:
        yield found
