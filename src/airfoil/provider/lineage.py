"""What a task read and what it found out, as OpenLineage wants it, where Airflow's provider for it is installed.

Datasets are named as OpenLineage's naming rules say, without logins. Where the provider is missing there is no
lineage, and nothing else is different. Must not fail a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airfoil.provider.datasets import KIND, SCHEME
from airfoil.provider.table_inputs import address_of

if TYPE_CHECKING:
    from airfoil.clients.table_sources import TableSource

FACET = "dataQualityAssertions"
_HTTP = frozenset({"http", "https"})
_PORTS = {"postgres": 5432, "mysql": 3306}


@dataclass(frozen=True)
class Claim:
    """One thing that was asked of a table, and whether it is so."""

    what: str
    holds: bool
    column: str = ""


@dataclass(frozen=True)
class Place:
    """A dataset by OpenLineage's rules."""

    namespace: str
    name: str

    @classmethod
    def of(cls, source: TableSource) -> Place:
        """Name a table by where it lies."""
        parts = urlsplit(address_of(source))
        path = unquote(parts.path)
        if len(parts.scheme) <= 1 or parts.scheme == "file":
            return cls("file", path or source.location)
        if parts.scheme in {*_HTTP, "s3", "s3a"}:
            scheme = "s3" if parts.scheme == "s3a" else parts.scheme
            return cls(f"{scheme}://{parts.netloc}", path.strip("/") or "/")
        system = parts.scheme.partition("+")[0].replace("postgresql", "postgres")
        if not parts.netloc:
            return cls(system, f"{path}.{source.called}".lstrip("/"))
        port = parts.port or _PORTS.get(system)
        host = f"{parts.hostname}:{port}" if port else f"{parts.hostname}"
        return cls(f"{system}://{host}", f"{path.strip('/')}.{source.called}".lstrip("."))

    @classmethod
    def of_dataset(cls, name: str) -> Place:
        """Name a dataset of which only the name is known."""
        return cls(SCHEME, f"{KIND}/{name}")


@dataclass(frozen=True)
class Lineage:
    """What went in, what was claimed about the first of it, and what came out."""

    inputs: Sequence[Place] = ()
    claims: Sequence[Claim] = ()
    outputs: Sequence[Place] = ()


def openlineage(seen: Lineage | None) -> Any:
    """Return Airflow's OperatorLineage; None without its provider, or when the task has seen nothing."""
    if seen is None:
        return None
    try:
        lineage = import_module("airflow.providers.openlineage.extractors").OperatorLineage
        events = import_module("openlineage.client.event_v2")
        facets = import_module("openlineage.client.generated.data_quality_assertions_dataset")
    except ImportError:
        return None
    found = [
        facets.Assertion(assertion=one.what, success=one.holds, column=one.column or None)
        for one in seen.claims
    ]
    told = {FACET: facets.DataQualityAssertionsDatasetFacet(assertions=found)} if found else {}
    inputs = [
        events.InputDataset(namespace=one.namespace, name=one.name, inputFacets=told if number == 0 else {})
        for number, one in enumerate(seen.inputs)
    ]
    outputs = [events.OutputDataset(namespace=one.namespace, name=one.name) for one in seen.outputs]
    return lineage(inputs=inputs, outputs=outputs)
