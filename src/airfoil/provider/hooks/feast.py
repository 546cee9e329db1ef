"""The hook for connections of type `feast`: which folder is the feature repository, and the store that lies there.

It must not import Feast (clients do, and it takes seconds) and must not write to os.environ: two tasks in one worker
may use two repositories.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airflow.sdk import BaseHook

from airfoil.errors import AirfoilError, ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from airfoil.clients.feature_store.store import FeatureStore


class FeastHook(BaseHook):
    """Connects tasks to a Feast repository: a folder, on the worker, with feature_store.yaml.

    The connection's host is that folder. What the store needs besides, such as passwords, feature_store.yaml names as
    `${VARIABLE}` of the worker's environment.
    """

    conn_name_attr = "feast_conn_id"
    default_conn_name = "feast_default"
    conn_type = "feast"
    hook_name = "Feast"

    def __init__(self, feast_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        """Name the connection; it is read when the store is asked for."""
        super().__init__(**kwargs)
        self.feast_conn_id = feast_conn_id

    @property
    def folder(self) -> Path:
        """The feature repository."""
        return folder_from(self.get_connection(self.feast_conn_id))

    def get_conn(self) -> FeatureStore:
        """Open the feature store."""
        from airfoil.clients.feature_store.store import FeatureStore

        return FeatureStore(self.folder)

    def apply(self) -> str:
        """Bring the registry up to what the repository's files define, as `feast apply` does; what Feast said."""
        from airfoil.clients.feature_store.repository import apply_definitions

        return apply_definitions(self.folder)

    def test_connection(self) -> tuple[bool, str]:
        """Answer the "Test" button of Airflow: whether the repository opens and its registry answers."""
        try:
            store = self.get_conn()
            views = store.views()
        except AirfoilError as error:
            return False, error.in_full
        return True, f"The feature store in {store.folder} has {len(views)} views"


def folder_from(connection: Connection) -> Path:
    """Translate an Airflow connection into the folder of a repository; `file:///srv/features` is one too."""
    given = (connection.host or "").strip()
    parts = urlsplit(given)
    if parts.scheme == "file" and not parts.netloc:
        given = unquote(parts.path)
    elif "://" in given:
        raise ConfigurationError(
            f"The host of the Airflow connection '{connection.conn_id}' is {given}, and no folder",
            "Set it to the folder on the worker that holds feature_store.yaml.",
        )
    path = Path(given).expanduser()
    if not given or not path.is_absolute():
        raise ConfigurationError(
            f"The host of the Airflow connection '{connection.conn_id}' is '{given}', and no whole path of a folder",
            "Set it to the folder on the worker that holds feature_store.yaml, such as /srv/features.",
        )
    return path
