"""Platforms that tests of the whole stack start: one that most of them share, and new ones on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.servers import ObjectStore, Postgres, run_object_store, run_postgres
from tests.system.platforms import Platform, lent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def shared_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Make the platform that tests with default settings share; it may be up or down."""
    yield from lent(Platform.make(tmp_path_factory.mktemp("system")))


@pytest.fixture
def platform(shared_platform: Platform) -> Platform:
    """Give the shared platform, running and ready."""
    shared_platform.up()
    return shared_platform


@pytest.fixture
def new_platform(tmp_path: Path) -> Iterator[Platform]:
    """Give a platform that was never started, for one test to do its worst to."""
    yield from lent(Platform.make(tmp_path))


@pytest.fixture(scope="module")
def make_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Platform]]:
    """Make further platforms with settings of their own, each stopped at the end of its file."""
    closing = []

    def make(*arguments: object, **options: object) -> Platform:
        loan = lent(Platform.make(tmp_path_factory.mktemp("system"), *arguments, **options))  # type: ignore[arg-type]
        closing.append(loan)
        return next(loan)

    yield make
    for loan in reversed(closing):
        for _ in loan:
            pass


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL server."""
    yield from run_postgres()


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """Start an S3 store."""
    yield from run_object_store()
