"""Registered models, their versions and aliases on one MLflow server: reading, and making or removing one version.

Must not decide which version an alias points to (the ledger does) nor whether a version is wanted (registration does).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airfoil.clients.exchange import API, Exchange, delete, get, post
from airfoil.errors import AlreadyExistsError, ConfigurationError, NotFoundError, ServiceRefusedError

if TYPE_CHECKING:
    from airfoil.records import ModelRef

PAGE = "1000"
LOGGED_MODEL = "models:/m-"
"""How the address of a model begins that a run has logged."""


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model: where it came from, and its tags."""

    name: str
    version: int
    run_id: str | None
    source: str
    tags: Mapping[str, str] = field(default_factory=dict)
    created_ms: int = 0


@dataclass(frozen=True)
class RegisteredModel:
    """A model and where its aliases point."""

    name: str
    aliases: Mapping[str, int]
    tags: Mapping[str, str] = field(default_factory=dict)
    latest: int | None = None
    """The newest version."""
    created_ms: int = 0
    updated_ms: int = 0


def models() -> Exchange[list[RegisteredModel]]:
    """Return all models by name. MLflow keeps prompts in the same place and leaves them out here."""
    rows = yield from _pages("registered-models/search", "registered_models")
    return sorted((_model(row) for row in rows), key=lambda model: model.name)


def model(name: str) -> Exchange[RegisteredModel | None]:
    """Return a model, or None when there is none of this name."""
    try:
        return _model((yield from get(f"{API}/registered-models/get", name=name))["registered_model"])
    except NotFoundError:
        return None


def versions(name: str) -> Exchange[list[ModelVersion]]:
    """Return the versions of a model, newest first."""
    rows = yield from _pages("model-versions/search", "model_versions", filter=f"name = {_quoted(name)}")
    return _newest_first(rows)


def versions_tagged(tag: str, value: str) -> Exchange[list[ModelVersion]]:
    """Return the versions that carry a tag with this value (both without quotes), newest first."""
    rows = yield from _pages("model-versions/search", "model_versions", filter=f"tags.`{tag}` = '{value}'")
    return _newest_first(rows)


def version(name: str, number: int) -> Exchange[ModelVersion | None]:
    """Return one version, or None when it does not exist (any more)."""
    try:
        answer = yield from get(f"{API}/model-versions/get", name=name, version=str(number))
    except NotFoundError:
        return None
    return _version(answer["model_version"])


def version_of(name: str, alias: str) -> Exchange[ModelVersion | None]:
    """Return the version that an alias points to, or None when the model or the alias does not exist."""
    found = yield from model(name)
    number = found.aliases.get(alias) if found else None
    return None if number is None else (yield from version(name, number))


def create_version(name: str, source: ModelRef, tags: Mapping[str, str]) -> Exchange[ModelVersion]:
    """Make one more version of a model, and the model if there is none. Twice makes two: see `registration`."""
    request = {
        "name": name,
        "source": source.uri,
        "run_id": source.run_id,
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    if source.uri.startswith(LOGGED_MODEL):
        request["model_id"] = source.uri.removeprefix("models:/")
    try:
        answer = yield from post(f"{API}/model-versions/create", request, repeatable=False)
    except (NotFoundError, ServiceRefusedError):
        # The model is made on demand; when it is the source that is missing, the second answer says so. A server with
        # logins refuses a version of a model that is not there to all but its administrators.
        with suppress(AlreadyExistsError):
            yield from post(f"{API}/registered-models/create", {"name": name})
        answer = yield from post(f"{API}/model-versions/create", request, repeatable=False)
    return _version(answer["model_version"])


def delete_version(name: str, number: int) -> Exchange[None]:
    """Remove a version; it is fine when somebody else has."""
    with suppress(NotFoundError):
        yield from delete(f"{API}/model-versions/delete", {"name": name, "version": str(number)})


def point_alias(name: str, alias: str, number: int | None) -> Exchange[None]:
    """Make an alias point to a version, or to none. Sent once: a repetition might arrive after a later move."""
    if number is None:
        yield from delete(f"{API}/registered-models/alias", {"name": name, "alias": alias}, repeatable=False)
    else:
        request = {"name": name, "alias": alias, "version": str(number)}
        yield from post(f"{API}/registered-models/alias", request, repeatable=False)


def _pages(path: str, kind: str, **query: str) -> Exchange[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    token = ""
    while True:
        more = {"page_token": token} if token else {}
        answer = yield from get(f"{API}/{path}", max_results=PAGE, **query, **more)
        rows += answer.get(kind, [])
        token = answer.get("next_page_token") or ""
        if not token:
            return rows


def _newest_first(rows: list[dict[str, Any]]) -> list[ModelVersion]:
    return sorted((_version(row) for row in rows), key=lambda one: -one.version)


def _version(row: Mapping[str, Any]) -> ModelVersion:
    return ModelVersion(
        name=row["name"],
        version=int(row["version"]),
        run_id=row.get("run_id") or None,
        source=row.get("source") or "",
        tags=_tags(row),
        created_ms=int(row.get("creation_timestamp") or 0),
    )


def _model(row: Mapping[str, Any]) -> RegisteredModel:
    return RegisteredModel(
        name=row["name"],
        aliases={one["alias"]: int(one["version"]) for one in row.get("aliases", [])},
        tags=_tags(row),
        # MLflow lists the newest of each of the stages that it once had.
        latest=max((int(one["version"]) for one in row.get("latest_versions", [])), default=None),
        created_ms=int(row.get("creation_timestamp") or 0),
        updated_ms=int(row.get("last_updated_timestamp") or 0),
    )


def _tags(row: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in row.get("tags", [])}


def _quoted(text: str) -> str:
    """Write a name for a filter, which knows two kinds of quotes and no way to escape one."""
    mark = next((mark for mark in "'\"" if mark not in text), None)
    if mark is None:
        raise ConfigurationError(
            f"MLflow cannot be asked for the versions of a model whose name holds both kinds of quotes: {text}",
            "Rename the model.",
        )
    return f"{mark}{text}{mark}"
