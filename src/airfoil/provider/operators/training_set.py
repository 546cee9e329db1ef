"""The task that joins features to rows as of each row's moment: a training set in the work area, no row more or fewer.

Where features lie is said by airfoil.clients.training_sets; joining is done in airfoil.steps.training_sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airfoil.clients.table_sources import TableSource, open_table
from airfoil.errors import InternalError
from airfoil.provider.hooks.feast import FeastHook
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.table_inputs import assets_in, plain_data, table_source
from airfoil.provider.task_tracking import one_sentence
from airfoil.provider.work_area import work_area_of
from airfoil.steps.scans import Scan
from airfoil.steps.training_sets import FeatureTable, join_features
from airfoil.steps.training_sets.entity_rows import require_past_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.sdk import Context


class TrainingSetOperator(ProfiledOperator):
    """Joins features of a Feast repository to rows of a table, and returns the result as a DataRef.

    `entities` is a table with key columns, a timestamp and whatever else belongs to a row: a location, a DataRef, a
    dataset, or a mapping that names a connection too.
    `features` are references such as `customer:age`, or the name of a feature service. Each row comes out once, in its
    order; a feature that was not known at its moment is null. What only Feast can compute, Feast is asked for, and the
    log says why.
    """

    template_fields = ("entities", "features", "timestamp", "name", "feast_conn_id")
    ui_color = "#e6e0f2"

    def __init__(
        self,
        *,
        entities: Any,
        features: Sequence[str] | str,
        timestamp: str = "event_timestamp",
        full_names: bool = False,
        known_by_then: bool = False,
        name: str = "training_set",
        feast_conn_id: str = FeastHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the rows, and what is to be known about them; `full_names` calls a feature `view__feature`."""
        super().__init__(**{"inlets": assets_in(entities), **kwargs})
        self.entities = plain_data(entities)
        self.features = features if isinstance(features, str) else list(features)
        self.timestamp = timestamp
        self.full_names = full_names
        self.known_by_then = known_by_then
        self.name = name
        self.feast_conn_id = feast_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Join, and write the result to the work area."""
        work = work_area_of(context)
        with one_sentence(), open_table(self._source(), folder=work.root) as table:
            entities = Scan.of_parquet(table.paths, table.name)
            rows = require_past_rows(entities, self.timestamp, now())
            found = work.write(self.name, self._joined(entities))
            if found.rows != rows:
                raise InternalError(f"{found.rows} rows were made of {rows}", "Please report this.")
        self.log.info("%d rows at %s", rows, found.uri)
        return found.to_json()

    def _joined(self, entities: Scan) -> pa.RecordBatchReader | pa.Table:
        import pyarrow as pa

        from airfoil.clients.training_sets import fetch_features, resolve_features

        store = FeastHook(self.feast_conn_id).get_conn().feast
        plan = resolve_features(store, self.features, full_names=self.full_names)
        if plan.only_feast:
            self.log.warning("Feast itself joins these features, in memory: %s", plan.only_feast)
            rows = pa.Table.from_batches(list(entities.batches()), entities.schema)
            return fetch_features(
                store, rows, self.features, full_names=self.full_names, known_by_then=self.known_by_then
            )
        tables = [
            FeatureTable.of(source, Scan.of_parquet([_path(uri) for uri in source.uris], source.name))
            for source in plan.sources
        ]
        return join_features(entities, tables, timestamp=self.timestamp, known_by_then=self.known_by_then)

    def _source(self) -> TableSource:
        dag = self.get_dag()
        return table_source(self.entities, "entities", dag_file=dag.fileloc if dag else "")


def now() -> datetime:
    """The moment after which nothing is known."""
    return datetime.now(UTC)


def _path(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))
