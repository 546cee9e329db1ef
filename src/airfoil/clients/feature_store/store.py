"""A feature store as tasks use it: list its views, bring windows of them online, record what is complete.

Opening one imports Feast, which takes seconds. Must not know Airflow or which task asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.clients.feature_store import plan, window
from airfoil.clients.feature_store.latest_rows import Limits, Window
from airfoil.clients.feature_store.registry_lock import one_at_a_time
from airfoil.clients.feature_store.repository import first_line, open_repository
from airfoil.clients.feature_store.window import Written
from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    NeighbourError,
    NotFoundError,
    ServiceUnreachableError,
)

if TYPE_CHECKING:
    from feast import FeatureView

Span = tuple[datetime, datetime]


class FeatureStore:
    """One Feast repository: a folder with feature_store.yaml."""

    def __init__(self, folder: Path, *, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        """Open it; `limits` bound what reading may take."""
        self.feast: Any = open_repository(folder)
        self.folder, self._limits = folder, limits

    def views(self) -> list[str]:
        """The names of all views that can be brought online, in order."""
        return sorted(view.name for view in self._registered() if view.online)

    def require_parallel(self, views: int) -> None:
        """Refuse to bring several views online at once where the registry would lose all but the last."""
        kind = self.feast.config.registry.registry_type
        if views > 1 and kind == "file":
            raise ConfigurationError(
                f"The registry of {self.folder} is one file, which every run writes whole: views that are brought "
                "online side by side would undo each other's records",
                "Use `registry_type: sql`, or bring one view online after the other.",
            )

    def materialize(
        self, start: datetime, end: datetime, views: Sequence[str] | None = None
    ) -> list[Written]:
        """Bring a window of views online, one after the other, each recorded when it is complete.

        What became of each is told where our engine did it; Feast's own engines tell nothing.
        """
        found: list[Written] = []
        for name in self.views() if views is None else views:
            self.view(name)
            try:
                with one_at_a_time(self.feast, name):
                    self.feast.materialize(start, end, [name])
            except AirfoilError:
                raise
            except Exception as error:  # any of the libraries behind Feast
                raise NeighbourError(
                    f"The view {name} could not be brought online: {first_line(error)}",
                    "Run it again: the window counts only when it is complete.",
                ) from error
            told = getattr(self.feast._get_provider().batch_engine, "written", [])  # noqa: SLF001 - as in `write`
            found += [one for one in told[-1:] if one.view == name]
        return found

    def materialize_in_order(self, name: str, spans: Sequence[Span]) -> list[Written]:
        """Bring pieces of a window online, oldest first; the whole is recorded when all of them are there."""
        ordered = sorted(spans)
        if not ordered:
            return []
        found = [self.write(name, start, end) for start, end in ordered]
        self.record(name, ordered[0][0], max(end for _, end in ordered))
        return found

    def write(self, name: str, start: datetime, end: datetime) -> Written:
        """Write a window without recording it; pieces may overlap and come in any order, the newest row stays."""
        config = self.feast.config
        view = self.view(name)
        if reason := plan.reason_for_feast(view, config):
            raise ConfigurationError(
                f"The view {name} cannot be written in pieces: {reason}",
                "Bring its whole window online at once.",
            )
        return window.write(
            view,
            Window.between(start, end),
            registry=self.feast.registry,
            config=config,
            online_store=self.feast._get_provider().online_store,  # noqa: SLF001 - Feast has no public way to it
            limits=self._limits,
        )

    def record(self, name: str, start: datetime, end: datetime) -> None:
        """Tell the registry that a window is online, so that `materialize_incremental` begins after it."""
        first, last = (one if one.tzinfo else one.replace(tzinfo=UTC) for one in (start, end))
        with one_at_a_time(self.feast, name):
            self.feast.registry.apply_materialization(self.view(name), self.feast.project, first, last)

    def watermark(self, name: str) -> datetime | None:
        """Up to when a view is online."""
        found: datetime | None = self.view(name).most_recent_end_time
        return found

    def view(self, name: str) -> FeatureView:
        """The definition of a view, as the registry has it now."""
        from feast.errors import FeatureViewNotFoundException

        try:
            found: FeatureView = self.feast.get_feature_view(name)
        except FeatureViewNotFoundException as error:
            raise NotFoundError(
                f"There is no feature view '{name}' in {self.folder}",
                f"There are: {', '.join(self.views()) or 'none, run `airfoil feast apply` first'}.",
            ) from error
        except Exception as error:
            raise self._silent(error) from error
        return found

    def _registered(self) -> list[Any]:
        try:
            found: list[Any] = self.feast.list_batch_feature_views()
        except Exception as error:
            raise self._silent(error) from error
        return found

    def _silent(self, error: Exception) -> ServiceUnreachableError:
        """Whatever the registry's database or bucket raises."""
        return ServiceUnreachableError(
            f"The registry of {self.folder} does not answer: {first_line(error)}",
            "Start it, or correct `registry` in feature_store.yaml.",
        )
