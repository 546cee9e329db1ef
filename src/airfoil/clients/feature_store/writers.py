"""Which writer serves an online store: ours for Redis, SQLite and Postgres, Feast's own for every other one.

What is private to this release of Feast (how a store finds its client, its file, its connection) is asked here only.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from airfoil.clients.feature_store.encoding import Encoded, View
from airfoil.clients.feature_store.redis_writer import RedisLayout, RedisWriter
from airfoil.clients.feature_store.resp import Conversation
from airfoil.clients.feature_store.sqlite_writer import SqliteWriter
from airfoil.errors import AirfoilError, NeighbourError, ServiceUnreachableError

if TYPE_CHECKING:
    from feast import FeatureView
    from feast.infra.online_stores.online_store import OnlineStore
    from feast.repo_config import RepoConfig

_log = logging.getLogger(__name__)


class Writer(Protocol):
    """Takes encoded rows, one batch after the other."""

    def write(self, batch: Encoded) -> int:
        """Write a batch; the number of rows that were taken."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


def open_writer(
    config: RepoConfig, online_store: OnlineStore, feature_view: FeatureView, view: View
) -> Writer:
    """Open the fastest writer for a store."""
    from feast.infra.online_stores.helpers import compute_table_id, compute_versioned_name

    is_versioned = config.registry.enable_online_feature_view_versioning
    settings: Any = config.online_store
    match _kind(settings):
        case "redis":
            layout = RedisLayout(
                project=config.project,
                view=compute_versioned_name(feature_view, is_versioned),
                key_seconds=settings.key_ttl_seconds,
                is_newest_kept=not settings.skip_dedup,
            )
            return RedisWriter(Conversation(_redis_client(online_store, settings)), layout)
        case "sqlite":
            table = compute_table_id(config.project, feature_view, is_versioned)
            return SqliteWriter(_sqlite_path(online_store, config), table, view.features)
        case "postgres":
            from airfoil.clients.feature_store.postgres_writer import PostgresWriter

            table = compute_table_id(config.project, feature_view, is_versioned)
            return PostgresWriter(_postgres_connection(settings), table, view.features)
        case other:
            _log.info("View %s is written by Feast's own writer: %s.", view.name, other)
            return FeastWriter(config, online_store, feature_view)


class FeastWriter:
    """Hand batches to the store's own `online_write_batch`."""

    def __init__(self, config: RepoConfig, online_store: OnlineStore, feature_view: FeatureView) -> None:
        """Keep what the store asks for."""
        self._config, self._store, self._view = config, online_store, feature_view
        self._keys = {field.name: field.dtype.to_value_type() for field in feature_view.entity_columns}

    def close(self) -> None:
        """Feast keeps its connections itself."""

    def write(self, batch: Encoded) -> int:
        """Convert a batch to Feast's objects and write them."""
        from feast.utils import _convert_arrow_to_proto

        try:
            rows = _convert_arrow_to_proto(batch.batch, self._view, self._keys)
            self._store.online_write_batch(self._config, self._view, rows, None)
        except AirfoilError:
            raise
        except Exception as error:  # any of the libraries behind any of the stores
            raise NeighbourError(
                f"The online store did not take a batch of {self._view.name}: {error}",
                "Run it again when the store is well: the window counts only when it is complete.",
            ) from error
        return batch.rows


def _kind(settings: Any) -> str:
    """The kind of a store that we write ourselves, or the reason why not."""
    kind = str(settings.type)
    if kind == "redis" and settings.redis_type.value == "redis_cluster":
        return "it is a Redis cluster"
    if kind.endswith("SqliteOnlineStore"):
        kind = "sqlite"
    if kind not in {"redis", "sqlite", "postgres"}:
        return f"the online store is {kind}"
    if getattr(settings, "vector_enabled", False) or getattr(
        settings, "enable_openai_compatible_store", False
    ):
        return "the store keeps vectors or numbers beside the values"
    return kind


def _redis_client(online_store: Any, settings: Any) -> Any:
    return online_store._get_client(settings)  # noqa: SLF001 - Feast has no public way to it


def _sqlite_path(online_store: Any, config: RepoConfig) -> Path:
    return Path(online_store._get_db_path(config))  # noqa: SLF001 - Feast has no public way to it


def _postgres_connection(settings: Any) -> Any:
    import psycopg
    from feast.infra.utils.postgres.connection_utils import _get_conn

    try:
        return _get_conn(settings)
    except psycopg.OperationalError as error:
        raise ServiceUnreachableError(
            f"The online store's Postgres at {settings.host}:{settings.port} does not answer: {error}",
            "Start it, or correct `online_store` in feature_store.yaml.",
        ) from error
