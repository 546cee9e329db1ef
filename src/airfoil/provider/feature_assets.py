"""Feature views as Airflow assets: `FeatureView("spending")` is what a DAG is scheduled by when new values are online.

The task that brings a view online updates its asset. Nothing is asked of Feast here: DAG files are parsed without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from airflow.sdk import Asset, AssetAlias

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from airflow.sdk import Context

SCHEME = "feast"
KIND = "view"
BROUGHT_ONLINE = AssetAlias("feature views")
"""Through which a task tells of views that the DAG file does not name, such as those of a mapped task."""


class FeatureView(Asset):
    """The asset of one feature view, by its name in the registry."""

    asset_type = "feature view"

    def __init__(self, name: str) -> None:
        """Name the view; it need not exist yet."""
        super().__init__(name=f"feature view {name}", uri=uri_of(name))
        self.view = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and (self.name, self.uri) == (other.name, other.uri)

    def __hash__(self) -> int:
        return hash((self.name, self.uri))


def uri_of(view: str) -> str:
    """Return the address of a view: `feast://view/spending`."""
    if not view.strip() or "/" in view:
        raise ConfigurationError(f"'{view}' is no name of a feature view", "Name it as Feast does.")
    return f"{SCHEME}://{KIND}/{quote(view, safe='')}"


def check_uri(parts: SplitResult) -> SplitResult:
    """Let Airflow refuse an asset whose `feast:` address means nothing (the handler of our scheme)."""
    found = urlsplit(parts.geturl())
    name = found.path.removeprefix("/")
    if found.scheme != SCHEME or found.netloc != KIND or not name or "/" in name or found.query:
        message = f"'{parts.geturl()}' is no feature view; write it as feast://view/NAME"
        raise ValueError(message)
    return parts


def lineage_dataset(asset: Any, lineage_context: Any) -> Any:  # noqa: ARG001 - as Airflow calls it
    """Tell OpenLineage of a view (Airflow calls this where its OpenLineage provider is installed)."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    return Dataset(namespace=f"{SCHEME}://{KIND}", name=unquote(urlsplit(asset.uri).path.removeprefix("/")))


def announce(context: Context, view: str, extra: Mapping[str, Any]) -> None:
    """Have the asset of a view updated when this task has succeeded."""
    asset = FeatureView(view)
    events = context["outlet_events"]
    if asset in context["task"].outlets:
        events[asset].extra = dict(extra)
    elif BROUGHT_ONLINE in context["task"].outlets:
        events[BROUGHT_ONLINE].add(asset, extra=dict(extra))
