"""Registered models of a file store: their numbers, their stages, and names that are taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.mlruns_folder import CHILD, PARENT, write_mlruns
from tests.unit.clients.wine_shop import WineShop

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlruns import imported_models
from airfoil.clients.mlruns.file_store import FileStore
from airfoil.clients.mlruns.imported_models import STAGE_TAG, THROUGH_TAG, Brought, standings
from airfoil.clients.mlruns.imported_runs import RunImport
from airfoil.clients.model_registry import delete_version, model, versions
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit

ALL = frozenset({1, 3, 4})


@pytest.fixture
def server():
    return WineShop()


@pytest.fixture
def wine(tmp_path):
    (found,) = FileStore(write_mlruns(tmp_path / "mlruns").root).models()
    return found


@pytest.fixture
def runs(http, tmp_path, wine):
    """The runs on the server, by their old ids."""
    return {
        run.id: RunImport(http).bring(run, []).info
        for run in FileStore(tmp_path / "mlruns").runs()
        if run.id in {PARENT, CHILD}
    }


def test_versions_keep_their_numbers_over_gaps(http, wine, runs):
    notes = []
    for _ in range(2):
        assert http.do(imported_models.bring(wine, runs.get, notes.append)) == Brought(ALL)
        assert [one.version for one in http.do(versions("wine"))] == [4, 3, 1]
    newest, third, first = http.do(versions("wine"))
    assert first.run_id == runs[PARENT].id
    assert third.source == f"{runs[CHILD].artifact_uri}/forest"
    assert (third.tags[STAGE_TAG], newest.tags[STAGE_TAG]) == ("Production", "Staging")
    assert http.do(model("wine")).tags == {"owner": "anne", THROUGH_TAG: "4"}
    assert "wine version 5 is left out" in notes[0]


def test_an_import_that_was_cut_off_in_a_gap_goes_on(http, wine, runs, monkeypatch):
    def cut(*_):
        raise ConfigurationError("cut off")
        yield

    real = imported_models._version
    monkeypatch.setattr(
        imported_models, "_version", lambda name, one, run: (cut if one.number > 1 else real)(name, one, run)
    )
    with pytest.raises(ConfigurationError, match="cut off"):
        http.do(imported_models.bring(wine, runs.get, [].append))
    monkeypatch.undo()
    assert http.do(imported_models.bring(wine, runs.get, [].append)) == Brought(ALL)
    assert [one.version for one in http.do(versions("wine"))] == [4, 3, 1]


@pytest.mark.parametrize("remembered", [True, False])
def test_what_was_deleted_on_the_server_since_stays_deleted(http, server, wine, runs, remembered):
    http.do(imported_models.bring(wine, runs.get, [].append))
    http.do(delete_version("wine", 4))
    if not remembered:  # an import of an older release
        del server.registered["wine"]["tags"][THROUGH_TAG]
    for _ in range(2):
        notes = []
        brought = http.do(imported_models.bring(wine, runs.get, notes.append))
        assert brought == Brought(frozenset({1, 3}), frozenset({4}))
        assert server.alive("wine") == [1, 3]
        assert "wine version 4 is left out: the server had it, and it is deleted there." in notes
    assert len(server.registered["wine"]["versions"]) == (4 if remembered else 5), "asked for once at most"


def test_an_import_that_was_cut_off_goes_on_after_numbers_that_were_used_up(http, server, wine, runs):
    server.add_versions("wine", 1)
    http.do(delete_version("wine", 1))
    brought = http.do(imported_models.bring(wine, runs.get, [].append))
    assert brought == Brought(frozenset({3, 4}), frozenset({1}))
    assert [one.version for one in http.do(versions("wine"))] == [4, 3]


def test_who_registers_at_the_same_time_is_told_from_what_was_deleted(http, server, wine, runs, monkeypatch):
    real = imported_models._version

    def raced(name, one, run):
        if one.number == 3:
            server.add_versions(name, 1)
        return real(name, one, run)

    monkeypatch.setattr(imported_models, "_version", raced)
    with pytest.raises(ConfigurationError, match=r"Version 3 of wine became 4: somebody registers"):
        http.do(imported_models.bring(wine, runs.get, [].append))
    assert server.alive("wine") == [1, 2, 3], "the version of somebody else stays"


def test_an_alias_of_a_version_that_was_deleted_goes_to_no_other(wine):
    staged = [replace(one, stage="Production") for one in wine.versions]
    both = replace(wine, versions=tuple(staged), aliases={"best": 1, "newest": 4})
    found = {one.alias: one.number for one in standings(both, Brought(frozenset({1, 3}), frozenset({4})))}
    assert found == {"best": 1}


def test_a_model_without_files_is_left_out_whole(http, wine):
    assert http.do(imported_models.bring(wine, lambda _: None, [].append)) == Brought()
    assert http.do(model("wine")) is None


def test_stages_become_aliases_unless_the_alias_was_there(wine):
    found = {one.alias: one.number for one in standings(wine, Brought(ALL))}
    assert found == {"best": 1, "champion": 3, "staging": 4}
    taken = type(wine)(wine.name, "", {}, {"champion": 1}, wine.versions)
    assert {one.alias: one.number for one in standings(taken, Brought(ALL))} == {"champion": 1, "staging": 4}


def test_an_alias_that_was_moved_since_stays(http, wine, runs):
    brought = http.do(imported_models.bring(wine, runs.get, [].append))
    ledger = Ledger(Claims())
    champion = next(one for one in standings(wine, brought) if one.alias == "champion")
    http.do(imported_models.point(ledger, wine, champion, who="anne"))
    assert http.do(model("wine")).aliases == {"champion": 3}
    (entry,) = http.do(ledger.entries("wine", "champion"))
    assert (entry.who, entry.reason) == ("anne", "Imported: stage Production of the file store")
    http.do(ledger.move("wine", "champion", 4, who="bob"))
    http.do(imported_models.point(ledger, wine, champion, who="anne"))
    assert http.do(model("wine")).aliases == {"champion": 4}


def test_a_name_that_is_taken_is_refused(http, server, wine):
    http.do(imported_models.refuse_taken(wine))
    server.add_versions("wine", 1)
    with pytest.raises(ConfigurationError, match="has a model wine already"):
        http.do(imported_models.refuse_taken(wine))
