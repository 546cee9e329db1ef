"""The fake server's model versions: numbered by the server, each with a source that must be what it says it is."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from airfoil.clients.testing.filters import Grammar, Row, arrange, choose, parse_filter
from airfoil.clients.testing.logged_models import LoggedModels
from airfoil.clients.testing.paging import page
from airfoil.clients.testing.refusals import (
    RefusalError,
    check_model_name,
    check_model_tag,
    check_page_size,
    check_version,
    missing,
    optional_text,
    pairs,
    text,
)
from airfoil.clients.testing.runs import Runs
from airfoil.clients.testing.state import Answer, Body, World, rows_of, without_empty

DEFAULT_RESULTS, MOST_RESULTS = 200_000, 200_000
VERSIONS_TAG = "mlflow.modelVersions"
GRAMMAR = Grammar(
    kinds=frozenset({"attribute", "tag"}),
    texts=frozenset({"name", "run_id", "source_path"}),
    numbers=frozenset({"version_number"}),
    lists=frozenset({"name", "run_id"}),
)
ORDER_GRAMMAR = Grammar(
    kinds=frozenset({"attribute"}),
    texts=frozenset({"name"}),
    numbers=frozenset({"version_number", "creation_timestamp", "last_updated_timestamp"}),
)
USUAL_ORDER = ("last_updated_timestamp DESC", "name ASC", "version_number DESC")


class ModelVersions:
    """Versions of registered models; holds the models too, which `model_registry` makes."""

    def __init__(self, world: World, runs: Runs, logged: LoggedModels) -> None:
        """Begin with none."""
        self._world = world
        self._runs = runs
        self._logged = logged
        self.models: dict[str, dict[str, Any]] = {}

    def create(self, body: Body) -> Answer:
        """Make the next version; its source must belong to the run or the logged model that is named."""
        name, source, tags = text(body, "name"), text(body, "source"), pairs(body, "tags")
        run_id, model_id = optional_text(body, "run_id"), optional_text(body, "model_id")
        storage, run_id = self._storage_of(source, run_id, model_id)
        for key, value in tags:
            check_model_tag(key, value)
        model = self.find_model(name)
        now, number = self._world.now_ms(), len(model["versions"]) + 1
        model["last_updated_timestamp"] = now
        model["versions"][number] = {
            "name": name,
            "version": number,
            "creation_timestamp": now,
            "last_updated_timestamp": now,
            "current_stage": "None",
            "description": optional_text(body, "description"),
            "source": source,
            "run_id": run_id,
            "run_link": optional_text(body, "run_link"),
            "status": "READY",
            "tags": dict(tags),
            "storage": storage,
            "deleted": False,
        }
        if model_id:
            self._note_version(model_id, name, number)
        return {"model_version": shown_version(model["versions"][number], {})}

    def get(self, body: Body) -> Answer:
        """Return one with its aliases."""
        kept = self.find(text(body, "name"), text(body, "version"))
        return {"model_version": shown_version(kept, self.models[kept["name"]]["aliases"])}

    def download_uri(self, body: Body) -> Answer:
        """Return where its files are."""
        return {"artifact_uri": self.find(text(body, "name"), text(body, "version"))["storage"]}

    def update(self, body: Body) -> Answer:
        """Change the description of one."""
        kept = self.find(text(body, "name"), text(body, "version"))
        kept.update(
            description=optional_text(body, "description"), last_updated_timestamp=self._world.now_ms()
        )
        return {"model_version": shown_version(kept, self.models[kept["name"]]["aliases"])}

    def delete(self, body: Body) -> Answer:
        """Take one away with its aliases; its number is not given again."""
        kept = self.find(text(body, "name"), text(body, "version"))
        model = self.models[kept["name"]]
        kept["deleted"] = True
        model["last_updated_timestamp"] = self._world.now_ms()
        model["aliases"] = {
            key: number for key, number in model["aliases"].items() if number != kept["version"]
        }
        return {}

    def set_tag(self, body: Body) -> Answer:
        """Put a tag on one."""
        key, value = text(body, "key"), optional_text(body, "value")
        check_model_tag(key, value)
        self.find(text(body, "name"), text(body, "version"))["tags"][key] = value
        return {}

    def delete_tag(self, body: Body) -> Answer:
        """Take a tag away, once or twice."""
        self.find(text(body, "name"), text(body, "version"))["tags"].pop(text(body, "key"), None)
        return {}

    def search(self, body: Body) -> Answer:
        """Return a page of versions that meet a filter, the last changed first; without their aliases."""
        size = check_page_size(body, DEFAULT_RESULTS, MOST_RESULTS)
        conditions = parse_filter(optional_text(body, "filter"), GRAMMAR)
        kept = [
            one for model in self.models.values() for one in model["versions"].values() if not one["deleted"]
        ]
        order = body.get("order_by") or list(USUAL_ORDER)
        found = arrange(choose(kept, conditions, _row), USUAL_ORDER[1:], ORDER_GRAMMAR, _row)
        rows, more = page(arrange(found, order, ORDER_GRAMMAR, _row), body, size)
        return without_empty({"model_versions": [shown_version(one, {}) for one in rows], **more})

    def latest_versions(self, body: Body) -> Answer:
        """Return the newest version of a model."""
        model = self.find_model(text(body, "name"))
        newest = self.latest(model)
        return without_empty({"model_versions": [shown_version(newest, model["aliases"])] if newest else []})

    def find_model(self, name: str) -> dict[str, Any]:
        """Return a registered model."""
        if check_model_name(name) not in self.models:
            raise missing(f"Registered Model with name={name} not found")
        return self.models[name]

    def find(self, name: str, version: str) -> dict[str, Any]:
        """Return a version that is not deleted."""
        number = check_version(version)
        check_model_name(name)
        kept = self.models.get(name, {}).get("versions", {}).get(number)
        if kept is None or kept["deleted"]:
            raise missing(f"Model Version (name={name}, version={version}) not found")
        return kept  # type: ignore[no-any-return]

    def latest(self, model: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the version with the highest number that is not deleted."""
        alive = [one for one in model["versions"].values() if not one["deleted"]]
        return max(alive, key=lambda one: int(one["version"]), default=None)

    def _storage_of(self, source: str, run_id: str, model_id: str) -> tuple[str, str]:
        """Return where the files are and which run made them; refuse a source that somebody else owns."""
        scheme = urlsplit(source).scheme
        if ".." in source.split("/"):
            raise RefusalError(f"Invalid model version source: '{source}'.")
        if scheme == "models" and source.startswith("models:/m-"):
            return self._storage_of_logged(source, run_id, model_id)
        if scheme == "models":
            name, _, version = source.removeprefix("models:/").partition("/")
            kept = self.find(name, version)
            return kept["storage"], run_id or kept["run_id"]
        if scheme == "runs":
            if not run_id or source.removeprefix("runs:/").partition("/")[0] != run_id:
                raise _not_in("run_id", source)
            return source, run_id
        if scheme == "mlflow-artifacts":
            owner = self._runs.by_id.get(run_id, {"info": {"artifact_uri": "?"}})["info"]["artifact_uri"]
            if not posixpath.normpath(source).startswith(owner):
                raise _not_in("run_id", source)
        if scheme in {"", "file"}:
            raise RefusalError(f"Invalid model version source: '{source}'. It is a local path.")
        return source, run_id

    def _storage_of_logged(self, source: str, run_id: str, model_id: str) -> tuple[str, str]:
        if not model_id or source.removeprefix("models:/") != model_id:
            raise _not_in("model_id", source)
        kept = self._logged.by_id.get(model_id)
        if kept is None or kept["deleted"]:
            raise RefusalError(f"Unable to fetch model from model URI source '{source}'.", "INTERNAL_ERROR")
        return kept["artifact_uri"], run_id or kept["source_run_id"]

    def _note_version(self, model_id: str, name: str, number: int) -> None:
        """Note in the logged model which versions it became, as MLflow does."""
        tags = self._logged.find(model_id)["tags"]
        noted = json.loads(tags.get(VERSIONS_TAG, "[]"))
        tags[VERSIONS_TAG] = json.dumps([*noted, {"name": name, "version": number}])


def shown_version(kept: Mapping[str, Any], aliases: Mapping[str, int]) -> Answer:
    """Return a version as MLflow shows it, with those of the aliases that point at it."""
    shown = {key: value for key, value in kept.items() if key not in {"storage", "deleted"}}
    shown["version"] = str(kept["version"])
    shown["tags"] = rows_of(kept["tags"])
    shown["aliases"] = [alias for alias, number in aliases.items() if number == kept["version"]]
    return without_empty(shown)


def _not_in(field: str, source: str) -> RefusalError:
    return RefusalError(
        f"Invalid model version source: '{source}'. The {field} must identify what contains it."
    )


def _row(kept: dict[str, Any]) -> Row:
    names = {"source_path": "source", "version_number": "version"}

    def value(kind: str, key: str) -> Any:
        return kept["tags"].get(key) if kind == "tag" else kept[names.get(key, key)]

    return value
