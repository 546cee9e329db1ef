"""Tables as Airflow assets: `Dataset("trips")` is what a report stands for and what a DAG can be scheduled by.

The name is what lasts: the table may lie elsewhere tomorrow. Where an address belongs to it for good, it is the asset's
address too, so that whoever writes there is found. Nothing is read here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow.sdk.definitions.asset import Dataset as AirflowDataset

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

SCHEME = "airfoil"
KIND = "dataset"


class Dataset(AirflowDataset):
    """A table that people know by a name. A report that passes updates it: `schedule=[Dataset("trips")]`."""

    def __init__(self, name: str, uri: str = "") -> None:
        """Name the table; `uri` is where it lies for good, such as `s3://lake/trips`."""
        if not name.strip() or name != name.strip():
            raise ConfigurationError(f"'{name}' is no name of a dataset", "Give a name such as 'trips'.")
        super().__init__(name=name, uri=uri or uri_of(name))

    @property
    def has_place(self) -> bool:
        """Whether it says where the table lies."""
        return not self.uri.startswith(f"{SCHEME}://")


def uri_of(name: str) -> str:
    """Return the address of a dataset of which only the name is known: `airfoil://dataset/trips`."""
    return f"{SCHEME}://{KIND}/{quote(name, safe='')}"


def check_uri(parts: SplitResult) -> SplitResult:
    """Let Airflow refuse an asset whose `airfoil:` address means nothing (the handler of our scheme)."""
    if parts.netloc != KIND or not parts.path.strip("/") or "/" in parts.path.strip("/"):
        message = f"'{parts.geturl()}' is no dataset: write it as {SCHEME}://{KIND}/NAME"
        raise ValueError(message)
    return parts
