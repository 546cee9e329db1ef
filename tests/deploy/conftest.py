"""What the tests of deployments share: an engine, and one server that all of them use.

KEEP=1 leaves the server running, for a person who wants to look; SERVER=FOLDER uses the one whose files lie there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deploy import compose_server, engine


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[None]:
    """A Docker engine, or the reason why there is none."""
    with engine.running():
        yield


@pytest.fixture(scope="session")
def server(docker_engine, tmp_path_factory) -> Iterator[compose_server.Server]:
    """A whole server with two workers, from a fresh copy of this checkout."""
    if os.environ.get("SERVER"):
        yield compose_server.attached(Path(os.environ["SERVER"]))
        return
    made = compose_server.made(tmp_path_factory.mktemp("server"))
    with compose_server.running(made) as found:
        yield found
