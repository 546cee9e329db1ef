"""The fake server's experiments."""

from __future__ import annotations

from typing import Any

from airfoil.clients.testing.filters import Grammar, Row, arrange, choose, parse_filter
from airfoil.clients.testing.paging import page
from airfoil.clients.testing.refusals import (
    RefusalError,
    check_active,
    check_experiment_name,
    check_key,
    check_page_size,
    missing,
    optional_text,
    pairs,
    text,
)
from airfoil.clients.testing.state import Answer, Body, World, rows_of, without_empty

MOST_RESULTS = 50_000
GRAMMAR = Grammar(
    kinds=frozenset({"attribute", "tag"}),
    texts=frozenset({"name", "experiment_id"}),
    numbers=frozenset({"creation_time", "last_update_time"}),
    lists=frozenset({"experiment_id"}),
    nulls=frozenset({"tag"}),
)
STAGES = {
    "": ("active",),
    "ACTIVE_ONLY": ("active",),
    "DELETED_ONLY": ("deleted",),
    "ALL": ("active", "deleted"),
}


class Experiments:
    """Experiments by name: a name belongs to one, also while that one is deleted."""

    def __init__(self, world: World) -> None:
        """Begin with the one that every server has."""
        self._world = world
        self.by_name: dict[str, dict[str, Any]] = {}
        self._add("Default")

    def create(self, body: Body) -> Answer:
        """Make one; a name that is taken is refused."""
        name = check_experiment_name(text(body, "name"))
        tags = pairs(body, "tags")
        for key, _ in tags:
            check_key(key)
        if name in self.by_name:
            raise RefusalError(f"Experiment(name={name}) already exists.", "RESOURCE_ALREADY_EXISTS")
        kept = self._add(name)
        kept["tags"].update(tags)
        return {"experiment_id": kept["experiment_id"]}

    def get(self, body: Body) -> Answer:
        """Return one by its id, deleted ones too."""
        return {"experiment": _shown(self.find(text(body, "experiment_id")))}

    def get_by_name(self, body: Body) -> Answer:
        """Return one by its name, deleted ones too."""
        name = text(body, "experiment_name")
        if name not in self.by_name:
            raise missing(f"Could not find experiment with name '{name}'")
        return {"experiment": _shown(self.by_name[name])}

    def update(self, body: Body) -> Answer:
        """Rename one; a name that is taken is refused, in words of the database."""
        kept, name = self.find(text(body, "experiment_id")), text(body, "new_name")
        if kept["lifecycle_stage"] != "active":
            raise RefusalError("Cannot rename a non-active experiment.", "INVALID_STATE")
        check_experiment_name(name)
        if self.by_name.get(name, kept) is not kept:
            raise RefusalError(
                "UNIQUE constraint failed: experiments.workspace, experiments.name", "BAD_REQUEST"
            )
        del self.by_name[kept["name"]]
        kept.update(name=name, last_update_time=self._world.now_ms())
        self.by_name[name] = kept
        return {}

    def delete(self, body: Body) -> Answer:
        """Mark one as deleted."""
        self._move(text(body, "experiment_id"), "active", "deleted")
        return {}

    def restore(self, body: Body) -> Answer:
        """Bring a deleted one back."""
        self._move(text(body, "experiment_id"), "deleted", "active")
        return {}

    def set_tag(self, body: Body) -> Answer:
        """Put a tag on an active one."""
        kept = self.find(text(body, "experiment_id"))
        key = check_key(text(body, "key"))
        check_active(f"experiment {kept['experiment_id']}", kept["lifecycle_stage"])
        kept["tags"][key] = optional_text(body, "value")
        return {}

    def search(self, body: Body) -> Answer:
        """Return a page of those that meet a filter, the newest first."""
        size = check_page_size(body, 0, MOST_RESULTS)
        stages = STAGES[str(body.get("view_type") or "")]
        conditions = parse_filter(optional_text(body, "filter"), GRAMMAR)
        kept = [one for one in self.by_name.values() if one["lifecycle_stage"] in stages]
        found = choose(kept, conditions, _row)
        found.sort(key=lambda one: int(one["experiment_id"]), reverse=bool(body.get("order_by")))
        found = arrange(found, body.get("order_by") or ["creation_time DESC"], GRAMMAR, _row)
        rows, more = page(found, body, size)
        return without_empty({"experiments": [_shown(one) for one in rows], **more})

    def find(self, experiment_id: str) -> dict[str, Any]:
        """Return one by its id; refuse an id that is none."""
        try:
            number = str(int(experiment_id))
        except ValueError as error:
            raise RefusalError(f"Invalid experiment ID '{experiment_id}'.") from error
        for kept in self.by_name.values():
            if kept["experiment_id"] == number:
                return kept
        raise missing(f"No Experiment with id={number} exists")

    def find_active(self, experiment_id: str) -> dict[str, Any]:
        """Return one that may be written to."""
        kept = self.find(experiment_id)
        check_active(f"experiment {experiment_id}", kept["lifecycle_stage"])
        return kept

    def _add(self, name: str) -> dict[str, Any]:
        now = self._world.now_ms()
        number = str(len(self.by_name))
        self.by_name[name] = {
            "experiment_id": number,
            "name": name,
            "artifact_location": f"mlflow-artifacts:/{number}",
            "lifecycle_stage": "active",
            "creation_time": now,
            "last_update_time": now,
            "tags": {},
        }
        return self.by_name[name]

    def _move(self, experiment_id: str, before: str, after: str) -> None:
        kept = self.find(experiment_id)
        if kept["lifecycle_stage"] != before:
            raise missing(f"No Experiment with id={experiment_id} exists")
        kept.update(lifecycle_stage=after, last_update_time=self._world.now_ms())


def _row(kept: dict[str, Any]) -> Row:
    return lambda kind, key: kept["tags"].get(key) if kind == "tag" else kept[key]


def _shown(kept: dict[str, Any]) -> Answer:
    return without_empty({**kept, "tags": rows_of(kept.get("tags", {})), "workspace": "default"})
