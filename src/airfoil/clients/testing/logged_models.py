"""The fake server's logged models: what a run stores, before anybody registers it under a name."""

from __future__ import annotations

from typing import Any

from airfoil.clients.testing.experiments import Experiments
from airfoil.clients.testing.filters import Grammar, Row, arrange, choose, parse_filter
from airfoil.clients.testing.paging import page
from airfoil.clients.testing.refusals import RefusalError, missing, optional_text, pairs, text
from airfoil.clients.testing.state import Answer, Body, World, rows_of, without_empty

DEFAULT_RESULTS = 100
FORBIDDEN_SIGNS = "/:.%\"'"
MODEL_STATUSES = frozenset({"LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"})
GRAMMAR = Grammar(
    kinds=frozenset({"attribute", "tag", "param"}),
    texts=frozenset({"name", "model_id", "model_type", "status", "source_run_id", "experiment_id"}),
    numbers=frozenset({"creation_timestamp", "creation_timestamp_ms", "last_updated_timestamp"}),
    lists=frozenset({"name", "model_id"}),
)


class LoggedModels:
    """Models by id."""

    def __init__(self, world: World, experiments: Experiments) -> None:
        """Begin with none."""
        self._world = world
        self._experiments = experiments
        self.by_id: dict[str, dict[str, Any]] = {}

    def create(self, body: Body) -> Answer:
        """Make one, pending; without a name it gets one."""
        number = text(body, "experiment_id")
        name = optional_text(body, "name")
        if any(sign in name for sign in FORBIDDEN_SIGNS):
            raise RefusalError(f"Invalid model name ({name!r}) provided.")
        experiment = self._experiments.find_active(number)
        model_id, now = f"m-{self._world.hex_id()}", self._world.now_ms()
        self.by_id[model_id] = {
            "model_id": model_id,
            "experiment_id": experiment["experiment_id"],
            "name": name or f"nameless-model-{len(self.by_id) + 1}",
            "creation_timestamp_ms": now,
            "last_updated_timestamp_ms": now,
            "artifact_uri": f"{experiment['artifact_location']}/models/{model_id}/artifacts",
            "status": "LOGGED_MODEL_PENDING",
            "model_type": optional_text(body, "model_type"),
            "source_run_id": optional_text(body, "source_run_id"),
            "tags": dict(pairs(body, "tags")),
            "params": dict(pairs(body, "params")),
            "deleted": False,
        }
        return {"model": _shown(self.by_id[model_id])}

    def get(self, body: Body) -> Answer:
        """Return one that is not deleted."""
        return {"model": _shown(self.find(text(body, "model_id")))}

    def finalize(self, body: Body) -> Answer:
        """Say how storing it ended."""
        kept = self._find(text(body, "model_id"))
        status = text(body, "status")
        kept["status"] = status if status in MODEL_STATUSES else "LOGGED_MODEL_STATUS_UNSPECIFIED"
        kept["last_updated_timestamp_ms"] = self._world.now_ms()
        return {"model": _shown(kept)}

    def delete(self, body: Body) -> Answer:
        """Mark one as deleted."""
        kept = self._find(text(body, "model_id"))
        kept.update(deleted=True, last_updated_timestamp_ms=self._world.now_ms())
        return {}

    def set_tags(self, body: Body) -> Answer:
        """Put tags on one."""
        self._find(text(body, "model_id"))["tags"].update(pairs(body, "tags"))
        return {}

    def delete_tag(self, body: Body) -> Answer:
        """Take a tag away; one that is not there is refused."""
        kept, key = self._find(text(body, "model_id")), text(body, "tag_key")
        if key not in kept["tags"]:
            raise missing(f"No tag with key {key!r} found.")
        del kept["tags"][key]
        return {}

    def log_params(self, body: Body) -> Answer:
        """Note parameters of one; a second value is refused, in words of the database."""
        kept, params = self._find(text(body, "model_id")), dict(pairs(body, "params"))
        if set(params) & set(kept["params"]):
            raise RefusalError("UNIQUE constraint failed: logged_model_params.model_id", "BAD_REQUEST")
        kept["params"].update(params)
        return {}

    def search(self, body: Body) -> Answer:
        """Return a page of the models of some experiments that meet a filter, the newest first."""
        wanted = body.get("experiment_ids")
        if wanted is None:
            raise RefusalError("Missing value for required parameter 'experiment_ids'.")
        conditions = parse_filter(optional_text(body, "filter"), GRAMMAR)
        kept = [one for one in self.by_id.values() if one["experiment_id"] in wanted and not one["deleted"]]
        found = sorted(choose(kept, conditions, _row), key=lambda one: str(one["model_id"]))
        given = body.get("order_by") or []
        clauses = [f"{one['field_name']} {'ASC' if one.get('ascending', True) else 'DESC'}" for one in given]
        found = arrange(found, [*clauses, "creation_timestamp DESC"], GRAMMAR, _row)
        rows, more = page(found, body, int(body.get("max_results") or DEFAULT_RESULTS))
        return without_empty({"models": [_shown(one) for one in rows], **more})

    def find(self, model_id: str) -> dict[str, Any]:
        """Return one that is not deleted."""
        kept = self._find(model_id)
        if kept["deleted"]:
            raise missing(f"Logged model with ID '{model_id}' not found.")
        return kept

    def _find(self, model_id: str) -> dict[str, Any]:
        if model_id not in self.by_id:
            raise missing(f"Logged model with ID '{model_id}' not found.")
        return self.by_id[model_id]


def _shown(kept: dict[str, Any]) -> Answer:
    info = {key: value for key, value in kept.items() if key not in {"tags", "params", "deleted"}}
    info["tags"] = rows_of(kept["tags"])
    return {"info": without_empty(info), "data": without_empty({"params": rows_of(kept["params"])})}


def _row(kept: dict[str, Any]) -> Row:
    times = {
        "creation_timestamp": "creation_timestamp_ms",
        "last_updated_timestamp": "last_updated_timestamp_ms",
    }

    def value(kind: str, key: str) -> Any:
        return kept[times.get(key, key)] if kind == "attribute" else kept[f"{kind}s"].get(key)

    return value
