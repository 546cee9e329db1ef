"""Bring one window of one view online: read, encode, write, in batches and with bounded memory.

Reading and encoding run ahead of the writer in a thread. Whoever calls records the window, and only after this
returned: what was written before an error stays, row by row right, and is written over or skipped by the next run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.clients.feature_store import encoding, latest_rows, plan, writers
from airfoil.clients.feature_store.ahead import ahead
from airfoil.clients.feature_store.encoding import Encoded
from airfoil.clients.feature_store.latest_rows import Limits, Window
from airfoil.clients.feature_store.plan import Plan

if TYPE_CHECKING:
    from feast import FeatureView
    from feast.infra.online_stores.online_store import OnlineStore
    from feast.infra.registry.base_registry import BaseRegistry
    from feast.repo_config import RepoConfig

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """What became of a window."""

    view: str
    entities: int
    """How many have a row in the window."""
    rows: int
    """How many of these were newer than what was online."""
    seconds: float


def write(
    feature_view: FeatureView,
    window: Window,
    *,
    registry: BaseRegistry,
    config: RepoConfig,
    online_store: OnlineStore,
    limits: Limits,
) -> Written:
    """Write the newest row of each entity inside the window, where nothing newer is online."""
    began = time.monotonic()
    planned = plan.make(feature_view, registry, config)
    entities = rows = 0
    with closing(writers.open_writer(config, online_store, feature_view, planned.view)) as writer:
        batches = ahead(_encoded(planned, window, limits))
        with closing(batches):
            for batch in batches:
                entities += batch.rows
                rows += writer.write(batch)
    found = Written(feature_view.name, entities, rows, time.monotonic() - began)
    _log.info(
        "View %s: %d entities in the window, %d rows written, %.1f s.",
        found.view, found.entities, found.rows, found.seconds,
    )  # fmt: skip
    return found


def _encoded(planned: Plan, window: Window, limits: Limits) -> Generator[Encoded]:
    for batch in latest_rows.read(planned.source, window, limits):
        yield from encoding.encode(planned.renamed(batch), planned.view)
