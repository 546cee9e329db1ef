"""The fake server's registered models: names, their tags and their aliases. Versions are in `model_versions`."""

from __future__ import annotations

from typing import Any

from airfoil.clients.testing.filters import Grammar, Row, arrange, choose, parse_filter
from airfoil.clients.testing.model_versions import ModelVersions, shown_version
from airfoil.clients.testing.paging import page
from airfoil.clients.testing.refusals import (
    RefusalError,
    check_alias,
    check_model_name,
    check_model_tag,
    check_version,
    missing,
    optional_text,
    pairs,
    text,
)
from airfoil.clients.testing.state import Answer, Body, World, rows_of, without_empty

DEFAULT_RESULTS, MOST_RESULTS = 100, 1000
GRAMMAR = Grammar(kinds=frozenset({"attribute", "tag"}), texts=frozenset({"name"}), lists=frozenset({"name"}))
ORDER_GRAMMAR = Grammar(
    kinds=frozenset({"attribute"}),
    texts=frozenset({"name"}),
    numbers=frozenset({"timestamp", "last_updated_timestamp"}),
)


class ModelRegistry:
    """Registered models by name; a name belongs to one."""

    def __init__(self, world: World, versions: ModelVersions) -> None:
        """Begin with none."""
        self._world = world
        self._versions = versions
        self.by_name = versions.models

    def create(self, body: Body) -> Answer:
        """Make one; a name that is taken is refused."""
        name, tags = check_model_name(text(body, "name")), pairs(body, "tags")
        for key, value in tags:
            check_model_tag(key, value)
        if name in self.by_name:
            raise RefusalError(f"Registered Model (name={name}) already exists.", "RESOURCE_ALREADY_EXISTS")
        now = self._world.now_ms()
        self.by_name[name] = {
            "name": name,
            "creation_timestamp": now,
            "last_updated_timestamp": now,
            "description": optional_text(body, "description"),
            "tags": dict(tags),
            "aliases": {},
            "versions": {},
        }
        return {"registered_model": self._shown(self.by_name[name])}

    def get(self, body: Body) -> Answer:
        """Return one with its latest version and its aliases."""
        return {"registered_model": self._shown(self._versions.find_model(text(body, "name")))}

    def search(self, body: Body) -> Answer:
        """Return a page of those that meet a filter, by name."""
        size = int(body.get("max_results", DEFAULT_RESULTS))
        if size > MOST_RESULTS:
            raise RefusalError(f"Invalid value {size} for parameter 'max_results' supplied.")
        conditions = parse_filter(optional_text(body, "filter"), GRAMMAR)
        found = sorted(choose(self.by_name.values(), conditions, _row), key=lambda one: str(one["name"]))
        found = arrange(found, body.get("order_by") or [], ORDER_GRAMMAR, _row)
        rows, more = page(found, body, size)
        return without_empty({"registered_models": [self._shown(one) for one in rows], **more})

    def update(self, body: Body) -> Answer:
        """Change the description of one."""
        kept = self._versions.find_model(text(body, "name"))
        kept.update(
            description=optional_text(body, "description"), last_updated_timestamp=self._world.now_ms()
        )
        return {"registered_model": self._shown(kept)}

    def delete(self, body: Body) -> Answer:
        """Take one away with its versions."""
        del self.by_name[self._versions.find_model(text(body, "name"))["name"]]
        return {}

    def set_tag(self, body: Body) -> Answer:
        """Put a tag on one."""
        key, value = text(body, "key"), optional_text(body, "value")
        check_model_tag(key, value)
        self._versions.find_model(text(body, "name"))["tags"][key] = value
        return {}

    def delete_tag(self, body: Body) -> Answer:
        """Take a tag away, once or twice."""
        self._versions.find_model(text(body, "name"))["tags"].pop(text(body, "key"), None)
        return {}

    def set_alias(self, body: Body) -> Answer:
        """Point an alias at a version that exists."""
        name, alias = text(body, "name"), check_alias(text(body, "alias"))
        number = check_version(text(body, "version"))
        self._versions.find(name, str(number))
        self.by_name[name]["aliases"][alias] = number
        return {}

    def delete_alias(self, body: Body) -> Answer:
        """Take an alias away, once or twice."""
        self._versions.find_model(text(body, "name"))["aliases"].pop(text(body, "alias"), None)
        return {}

    def get_by_alias(self, body: Body) -> Answer:
        """Return the version an alias points at; an alias that is not there is an invalid parameter to MLflow."""
        kept, alias = self._versions.find_model(text(body, "name")), text(body, "alias")
        if alias.lower() == "latest":
            newest = self._versions.latest(kept)
            if newest is None:
                raise missing(f"Latest version not found for model {kept['name']}.")
            return {"model_version": shown_version(newest, kept["aliases"])}
        if alias not in kept["aliases"]:
            raise RefusalError(f"Registered model alias {alias} not found.")
        return {"model_version": shown_version(kept["versions"][kept["aliases"][alias]], kept["aliases"])}

    def _shown(self, kept: dict[str, Any]) -> Answer:
        newest = self._versions.latest(kept)
        return without_empty(
            {
                "name": kept["name"],
                "creation_timestamp": kept["creation_timestamp"],
                "last_updated_timestamp": kept["last_updated_timestamp"],
                "description": kept["description"] or None,
                "latest_versions": [shown_version(newest, {})] if newest else [],
                "tags": rows_of(kept["tags"]),
                "aliases": [
                    {"alias": alias, "version": str(number)} for alias, number in kept["aliases"].items()
                ],
            }
        )


def _row(kept: dict[str, Any]) -> Row:
    def value(kind: str, key: str) -> Any:
        if kind == "tag":
            return kept["tags"].get(key)
        return kept["name"] if key == "name" else kept["last_updated_timestamp"]

    return value
