"""Registered models of a file store on a server: the same names and numbers, and aliases in place of stages.

Numbers are given by the server, one after the other, and never twice; where the store has a gap, a version is made and
removed. What somebody has deleted there since stays deleted. Aliases are moved through the ledger, so that it says
where they came from. Must not bring runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.clients.exchange import API, Exchange, patch, post
from airfoil.clients.model_registry import create_version, delete_version, model, versions
from airfoil.errors import ConfigurationError
from airfoil.records import ModelRef

if TYPE_CHECKING:
    from airfoil.clients.ledger import Ledger
    from airfoil.clients.mlruns.file_store import StoredModel, StoredVersion
    from airfoil.clients.run_info import RunInfo

NUMBER_TAG = "airfoil.imported_version"
STAGE_TAG = "airfoil.imported_stage"
GAP_TAG = "airfoil.imported_gap"
"""On versions that stand for a gap, until the import is through."""
THROUGH_TAG = "airfoil.imported_through"
"""On a model: the number up to which all its versions were brought, whether or not they are there still."""
ALIASES = {"Production": "champion", "Staging": "staging"}
"""What the stages of old are called now."""
_NO_ALIAS = re.compile(r"[^\w-]")


@dataclass(frozen=True)
class Standing:
    """An alias that is to point to a version, and why."""

    alias: str
    number: int
    reason: str


@dataclass(frozen=True)
class Brought:
    """The numbers of a model's versions: those that are on the server, and those that were and were deleted."""

    there: frozenset[int] = frozenset()
    deleted: frozenset[int] = frozenset()


def refuse_taken(stored: StoredModel) -> Exchange[None]:
    """Refuse a model whose name somebody else's versions have on the server."""
    if (yield from model(stored.name)) is None:
        return
    there = {one.version: one.tags.get(NUMBER_TAG) for one in (yield from versions(stored.name))}
    if any(tag != str(number) for number, tag in there.items()):
        raise ConfigurationError(
            f"The server has a model {stored.name} already, with versions that are not from this folder.",
            "Import the runs alone (--only-runs), or remove or rename the model there.",
        )


def bring(
    stored: StoredModel, run_of: Callable[[str], RunInfo | None], note: Callable[[str], None]
) -> Exchange[Brought]:
    """Make the versions that are missing, under their own numbers."""
    sources: dict[int, tuple[StoredVersion, RunInfo]] = {}
    for one in stored.versions:
        run = run_of(one.run_id)
        if run is not None and one.path is not None:
            sources[one.number] = one, run
        else:
            note(
                f"{stored.name} version {one.number} is left out: its files are not in this folder ({one.source})."
            )
    if not sources:
        return Brought()
    yield from _make_missing(stored.name, sources)
    found = yield from versions(stored.name)
    # Last of all: an import that was cut off must find where it had come to.
    for made in found:
        if GAP_TAG in made.tags:
            yield from delete_version(stored.name, made.version)
    tags = {**stored.tags, THROUGH_TAG: str(max(sources))}
    yield from _describe(stored.name, stored.description, tags)
    there = sources.keys() & {one.version for one in found}
    deleted = sources.keys() - there
    for number in sorted(deleted):
        note(f"{stored.name} version {number} is left out: the server had it, and it is deleted there.")
    return Brought(frozenset(there), frozenset(deleted))


def _make_missing(name: str, sources: Mapping[int, tuple[StoredVersion, RunInfo]]) -> Exchange[None]:
    filler = next(iter(sources.values()))[1]
    # What was begun goes on after the highest number that the server gave out.
    number = max((yield from _through(name)), *(one.version for one in (yield from versions(name))), 0) + 1
    while number <= max(sources):
        made = yield from (
            _version(name, *sources[number]) if number in sources else _gap(name, number, filler)
        )
        if made != number:
            yield from delete_version(name, made)
            # A deleted version keeps its number, and only a new one tells. What it used up cannot be brought any more.
            others = {one.version for one in (yield from versions(name)) if one.version >= number}
            if others or made < number:
                raise ConfigurationError(
                    f"Version {number} of {name} became {made}: somebody registers it at the same time.",
                    "Wait until nobody does, and import again.",
                )
        number = made + 1


def _through(name: str) -> Exchange[int]:
    found = yield from model(name)
    said = found.tags.get(THROUGH_TAG, "") if found else ""
    return int(said) if said.isdecimal() else 0


def standings(stored: StoredModel, brought: Brought) -> Iterator[Standing]:
    """Return the aliases of a model, those that it had, and those that its stages become: of each stage the newest.

    Where that one was deleted, whoever did it has decided: an older one does not step in.
    """
    numbers = brought.there | brought.deleted
    found = [Standing(alias, number, "alias of the file store") for alias, number in stored.aliases.items()]
    for stage, alias in ALIASES.items():
        standing = [one.number for one in stored.versions if one.stage == stage and one.number in numbers]
        if standing and alias not in stored.aliases:
            found.append(Standing(alias, max(standing), f"stage {stage} of the file store"))
    yield from (one for one in found if one.number in brought.there)


def point(ledger: Ledger, stored: StoredModel, one: Standing, *, who: str) -> Exchange[None]:
    """Move an alias once; whoever has moved it since is not overruled by a second import."""
    yield from ledger.move(
        stored.name,
        _NO_ALIAS.sub("-", one.alias),
        one.number,
        who=who,
        reason=f"Imported: {one.reason}",
        key=f"import/{stored.name}/{one.alias}/{one.number}",
    )


def _version(name: str, one: StoredVersion, run: RunInfo) -> Exchange[int]:
    tags: Mapping[str, str] = {**one.tags, NUMBER_TAG: str(one.number)}
    if one.stage not in {"", "None"}:
        tags = {**tags, STAGE_TAG: one.stage}
    uri = f"{run.artifact_uri}/{one.path}".rstrip("/")
    made = yield from create_version(name, ModelRef(name=name, uri=uri, run_id=run.id), tags)
    if one.description:
        body = {"name": name, "version": str(made.version), "description": one.description}
        yield from patch(f"{API}/model-versions/update", body)
    return made.version


def _gap(name: str, number: int, filler: RunInfo) -> Exchange[int]:
    """Use up a number that nothing stands for."""
    source = ModelRef(name=name, uri=filler.artifact_uri, run_id=filler.id)
    made = yield from create_version(name, source, {NUMBER_TAG: str(number), GAP_TAG: "yes"})
    return made.version


def _describe(name: str, description: str, tags: Mapping[str, str]) -> Exchange[None]:
    if description:
        yield from patch(f"{API}/registered-models/update", {"name": name, "description": description})
    for key, value in tags.items():
        yield from post(f"{API}/registered-models/set-tag", {"name": name, "key": key, "value": value})
