"""Being told of changes, by the real kernel: it is the only thing this module talks to."""

from __future__ import annotations

import select
import sys
from pathlib import Path

import pytest

from airfoil.runtime import file_events

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's"),
]


@pytest.fixture
def events(tmp_path):
    found = file_events.watch([tmp_path])
    assert found is not None
    yield found
    found.close()


def is_readable(events) -> bool:
    return bool(select.select([events], [], [], 0)[0])


def test_what_happens_to_a_file_is_told_once(events, tmp_path):
    assert not is_readable(events)
    file = tmp_path / "Wein Güte.py"
    file.write_text("x")
    assert is_readable(events)
    assert events.read() == {file}
    assert not is_readable(events)
    assert events.read() == set()


@pytest.mark.parametrize(
    "change", [lambda file: file.write_text("y"), Path.unlink, lambda file: file.rename(file.with_name("b"))]
)
def test_every_kind_of_change_counts(events, tmp_path, change):
    file = tmp_path / "a"
    file.write_text("x")
    events.read()
    change(file)
    assert file in events.read()


def test_only_the_wanted_kind_is_told(tmp_path):
    file = tmp_path / "a"
    file.write_text("x")
    found = file_events.watch([tmp_path], file_events.MODIFIED)
    assert found is not None
    file.read_text()
    file.chmod(0o600)
    assert found.read() == set()
    with file.open("a") as handle:
        handle.write("y")
    assert found.read() == {file}
    found.close()


def test_a_folder_may_join_later(events, tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    assert events.add(below)
    events.read()
    (below / "a").write_text("x")
    assert events.read() == {below / "a"}


def test_when_events_were_lost_every_folder_counts_as_changed(events, tmp_path):
    lost = file_events._HEADER.pack(-1, file_events._OVERFLOW, 0, 0)
    assert events._parse(lost) == {tmp_path}


def test_a_folder_that_is_not_there_cannot_be_watched(tmp_path):
    assert file_events.watch([tmp_path, tmp_path / "none"]) is None


def test_elsewhere_nothing_is_watched(tmp_path, monkeypatch):
    monkeypatch.setattr(file_events.sys, "platform", "darwin")
    assert file_events.watch([tmp_path]) is None
