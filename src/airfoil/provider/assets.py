"""Models as Airflow assets: `Model("wine").at("champion")` is what a DAG is scheduled by and a gate compares with.

The asset of an alias is updated once for each move of the alias; a watcher that it carries sees to that. Nothing is
asked of MLflow here: DAG files are parsed without it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from airflow.sdk import Asset

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from airflow.sdk import AssetWatcher

SCHEME = "mlflow"
KIND = "model"
_ALIAS = re.compile(r"[\w-]+", re.ASCII)
"""What MLflow takes for an alias; it refuses `latest` and names such as `v2` besides."""
_RESERVED = re.compile(r"latest|v\d+", re.IGNORECASE)


class Model:
    """A registered model, by its name on the MLflow server of a connection."""

    def __init__(self, name: str, *, mlflow_conn_id: str = "mlflow_default") -> None:
        """Name the model; it need not exist yet."""
        if not name.strip() or set(name) & set("/:"):
            raise ConfigurationError(
                f"'{name}' is no name of a registered model",
                "MLflow takes any name without '/' and ':'.",
            )
        self.name = name
        self.mlflow_conn_id = mlflow_conn_id

    def __repr__(self) -> str:
        return f"Model({self.name!r})"

    def at(self, alias: str) -> ModelAlias:
        """Return the asset of an alias: `schedule=[Model("wine").at("champion")]` runs a DAG when it moves."""
        if not _ALIAS.fullmatch(alias) or _RESERVED.fullmatch(alias):
            raise ConfigurationError(
                f"'{alias}' is no alias of a model",
                "MLflow takes letters, digits, '-' and '_', but neither 'latest' nor 'v' and a number.",
            )
        return ModelAlias(self.name, alias, mlflow_conn_id=self.mlflow_conn_id)


class ModelAlias(Asset):
    """The asset of one alias of a model. Made by `Model(...).at(...)`."""

    asset_type = KIND

    def __init__(self, model: str, alias: str, *, mlflow_conn_id: str = "mlflow_default") -> None:
        """Name the asset after the alias."""
        super().__init__(
            name=f"{model}@{alias}",
            uri=uri_of(model, alias),
            watchers=_watchers(model, alias, mlflow_conn_id),
        )
        self.model = model
        self.alias = alias
        self.mlflow_conn_id = mlflow_conn_id

    # An asset is compared field by field, and a watcher's trigger is equal to itself only.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and (self.name, self.uri) == (other.name, other.uri)

    def __hash__(self) -> int:
        return hash((self.name, self.uri))


def uri_of(model: str, alias: str) -> str:
    """Return the address of an alias: `mlflow://model/wine@champion`."""
    return f"{SCHEME}://{KIND}/{quote(model, safe='')}@{quote(alias, safe='')}"


def model_and_alias(uri: str) -> tuple[str, str]:
    """Return what `uri_of` was given; any other address is an error."""
    parts = urlsplit(uri)
    name, at, alias = parts.path.removeprefix("/").partition("@")
    is_ours = parts.scheme == SCHEME and parts.netloc == KIND and not parts.query
    if not is_ours or not name or not at or not alias or "/" in name + alias or "@" in alias:
        raise ConfigurationError(
            f"'{uri}' is not the address of a model's alias",
            'Write it as mlflow://model/NAME@ALIAS, or use `Model("NAME").at("ALIAS")`.',
        )
    return unquote(name), unquote(alias)


def check_uri(parts: SplitResult) -> SplitResult:
    """Let Airflow refuse an asset whose `mlflow:` address means nothing (the handler of our scheme)."""
    try:
        model_and_alias(parts.geturl())
    except ConfigurationError as error:
        raise ValueError(error.in_full) from error
    return parts


def _watchers(model: str, alias: str, mlflow_conn_id: str) -> list[AssetWatcher]:
    """Return what turns moves of the alias into events of its asset."""
    from airflow.sdk import AssetWatcher

    from airfoil.provider.triggers.model_moves import ModelMovesTrigger

    trigger = ModelMovesTrigger(model, alias, mlflow_conn_id)
    return [AssetWatcher(name=f"moves of {model}@{alias}", trigger=trigger)]
