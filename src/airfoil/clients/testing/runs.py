"""The fake server's runs: made, found, closed, tagged and deleted. What is logged to them is in `run_data`."""

from __future__ import annotations

from typing import Any

from airfoil.clients.testing.experiments import STAGES, Experiments
from airfoil.clients.testing.filters import Grammar, Row, arrange, choose, parse_filter
from airfoil.clients.testing.paging import page
from airfoil.clients.testing.refusals import (
    RefusalError,
    check_active,
    check_key,
    check_page_size,
    check_tag,
    missing,
    optional_text,
    pairs,
    text,
)
from airfoil.clients.testing.state import Answer, Body, World, rows_of, without_empty

DEFAULT_RESULTS, MOST_RESULTS = 1000, 50_000
NAME_TAG = "mlflow.runName"
RUN_STATUSES = frozenset({"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"})
GRAMMAR = Grammar(
    kinds=frozenset({"attribute", "tag", "param", "metric"}),
    texts=frozenset({"run_id", "run_name", "user_id", "status", "artifact_uri"}),
    numbers=frozenset({"start_time", "end_time", "created"}),
    lists=frozenset({"run_id"}),
    nulls=frozenset({"tag", "param"}),
)


class Runs:
    """Runs by id; each a dictionary of `info`, `tags`, `params`, `metrics` (all points), `models` and `datasets`."""

    def __init__(self, world: World, experiments: Experiments) -> None:
        """Begin with none."""
        self._world = world
        self._experiments = experiments
        self.by_id: dict[str, dict[str, Any]] = {}

    def create(self, body: Body) -> Answer:
        """Make one, RUNNING; without a name it gets one."""
        number = text(body, "experiment_id")
        experiment = self._experiments.find_active(number)
        tags = pairs(body, "tags")
        if len({key for key, _ in tags}) < len(tags):
            raise RefusalError("UNIQUE constraint failed: tags.key, tags.run_uuid", "BAD_REQUEST")
        kept_tags = dict(tags)
        name = optional_text(body, "run_name")
        if name and kept_tags.get(NAME_TAG, name) != name:
            raise RefusalError("Both 'run_name' argument and 'mlflow.runName' tag are specified.")
        run_id = self._world.hex_id()
        name = name or kept_tags.get(NAME_TAG) or f"nameless-run-{len(self.by_id) + 1}"
        info = {
            "run_uuid": run_id,
            "run_id": run_id,
            "run_name": name,
            "experiment_id": experiment["experiment_id"],
            "user_id": optional_text(body, "user_id"),
            "status": "RUNNING",
            "start_time": int(body.get("start_time") or 0),
            "artifact_uri": f"{experiment['artifact_location']}/{run_id}/artifacts",
            "lifecycle_stage": "active",
        }
        kept_tags.setdefault(NAME_TAG, name)
        kept = {"info": info, "tags": kept_tags, "params": {}, "metrics": [], "models": [], "datasets": []}
        self.by_id[run_id] = kept
        answer = shown(kept)
        del answer["outputs"]
        return {"run": answer}

    def get(self, body: Body) -> Answer:
        """Return one, deleted ones too."""
        return {"run": shown(self.find(text(body, "run_id")))}

    def update(self, body: Body) -> Answer:
        """Change status, end or name; a status that MLflow does not know changes nothing."""
        kept = self.find_active(text(body, "run_id"))
        if body.get("status") in RUN_STATUSES:
            kept["info"]["status"] = body["status"]
        if body.get("end_time") is not None:
            kept["info"]["end_time"] = int(body["end_time"])
        if name := optional_text(body, "run_name"):
            self._rename(kept, name)
        return {"run_info": dict(kept["info"])}

    def delete(self, body: Body) -> Answer:
        """Mark one as deleted, once or twice."""
        self.find(text(body, "run_id"))["info"]["lifecycle_stage"] = "deleted"
        return {}

    def restore(self, body: Body) -> Answer:
        """Bring a deleted one back."""
        self.find(text(body, "run_id"))["info"]["lifecycle_stage"] = "active"
        return {}

    def move_all(self, experiment_id: str, stage: str) -> None:
        """Delete or restore what belongs to an experiment."""
        for kept in self.by_id.values():
            if kept["info"]["experiment_id"] == experiment_id:
                kept["info"]["lifecycle_stage"] = stage

    def set_tag(self, body: Body) -> Answer:
        """Put a tag on one; a long value is cut."""
        key, value = check_tag(text(body, "key"), optional_text(body, "value"))
        self.tag(self.find_active(text(body, "run_id")), key, value)
        return {}

    def tag(self, kept: dict[str, Any], key: str, value: str) -> None:
        """Keep a tag; the one with the name is the name."""
        if key == NAME_TAG:
            self._rename(kept, value)
        else:
            kept["tags"][key] = value

    def delete_tag(self, body: Body) -> Answer:
        """Take a tag away; one that is not there is refused."""
        kept, key = self.find_active(text(body, "run_id")), text(body, "key")
        if key not in kept["tags"]:
            raise missing(f"No tag with name: {key} in run with id {kept['info']['run_id']}")
        del kept["tags"][check_key(key)]
        return {}

    def search(self, body: Body) -> Answer:
        """Return a page of the runs of some experiments that meet a filter, the last started first."""
        size = check_page_size(body, DEFAULT_RESULTS, MOST_RESULTS)
        stages = STAGES[str(body.get("run_view_type") or "")]
        conditions = parse_filter(optional_text(body, "filter"), GRAMMAR)
        wanted = {_number(one) for one in body.get("experiment_ids") or []}
        kept = [
            one
            for one in self.by_id.values()
            if one["info"]["lifecycle_stage"] in stages and one["info"]["experiment_id"] in wanted
        ]
        found = sorted(choose(kept, conditions, _row), key=lambda one: str(one["info"]["run_id"]))
        found.sort(key=lambda one: int(one["info"]["start_time"]), reverse=True)
        found = arrange(found, body.get("order_by") or [], GRAMMAR, _row)
        rows, more = page(found, body, size)
        return without_empty({"runs": [shown(one) for one in rows], **more})

    def find(self, run_id: str) -> dict[str, Any]:
        """Return one by its id."""
        if run_id not in self.by_id:
            raise missing(f"Run with id={run_id} not found")
        return self.by_id[run_id]

    def find_active(self, run_id: str) -> dict[str, Any]:
        """Return one that may be written to."""
        kept = self.find(run_id)
        check_active(f"run {run_id}", kept["info"]["lifecycle_stage"])
        return kept

    def _rename(self, kept: dict[str, Any], name: str) -> None:
        kept["info"]["run_name"] = kept["tags"][NAME_TAG] = name


def shown(kept: dict[str, Any]) -> Answer:
    """Return a run as MLflow shows it: of each metric the latest point."""
    data = without_empty(
        {
            "metrics": [_metric(point) for point in latest(kept["metrics"]).values()],
            "params": rows_of(kept["params"]),
            "tags": rows_of(kept["tags"]),
        }
    )
    return {
        "info": dict(kept["info"]),
        "data": data,
        "inputs": without_empty({"dataset_inputs": kept["datasets"]}),
        "outputs": without_empty({"model_outputs": [{"model_id": one, "step": 0} for one in kept["models"]]}),
    }


def latest(points: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return of each metric the point with the highest step, then time, then value; NaN counts as 0."""
    found: dict[str, dict[str, Any]] = {}
    for point in points:
        held = found.get(point["key"])
        if held is None or rank(point) > rank(held):
            found[point["key"]] = point
    return found


def rank(point: dict[str, Any]) -> tuple[int, int, float]:
    """Return what decides which of two points is the later one."""
    return point["step"], point["timestamp"], 0.0 if point["value"] == "NaN" else float(point["value"])


def _metric(point: dict[str, Any]) -> Answer:
    return dict(point)


def _row(kept: dict[str, Any]) -> Row:
    def value(kind: str, key: str) -> Any:
        if kind == "metric":
            point = latest(kept["metrics"]).get(key)
            return None if point is None else float(point["value"])
        if kind == "attribute":
            return kept["info"].get({"created": "start_time"}.get(key, key))
        return kept[f"{kind}s"].get(key)

    return value


def _number(experiment_id: Any) -> str:
    try:
        return str(int(experiment_id))
    except (TypeError, ValueError) as error:
        raise RefusalError(f"Invalid experiment ID '{experiment_id}'.") from error
