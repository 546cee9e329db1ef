"""How a benchmark ends, and that nothing it wrote stays behind."""

from __future__ import annotations

import pytest
from benchmarks import trial
from benchmarks.contender import BenchmarkError

pytestmark = pytest.mark.unit


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.delenv("SCALE", raising=False)
    return trial.options_of("anomaly", "About it.", "a table is written").parse_args(
        ["--folder", str(tmp_path)]
    )


def test_its_folder_is_gone_and_what_is_only_printed_has_its_own_code_when_it_is_checked(
    options, tmp_path, monkeypatch
):
    monkeypatch.setenv("SCALE", "0.5")

    def measure(folder, scale, say):
        assert folder.parent == tmp_path
        (folder / "rows").write_text("1", encoding="utf-8")
        assert (scale, say.subject) == (0.5, "anomaly")
        return 1

    assert trial.hold("anomaly", measure, options) == 0
    options.check = True
    assert trial.hold("anomaly", measure, options) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_measured_is_one_sentence_and_leaves_nothing(options, tmp_path, capsys):
    def measure(folder, scale, say):
        (folder / "rows").write_text("1", encoding="utf-8")
        raise BenchmarkError("there is no Redis")

    assert trial.hold("anomaly", measure, options) == 1
    assert capsys.readouterr().err == "Error: there is no Redis\n"
    assert list(tmp_path.iterdir()) == []


def test_a_scale_that_is_none_is_refused_before_anything_is_written(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SCALE", "some")
    assert trial.hold("anomaly", None, options) == 2
    assert "SCALE is 'some'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_its_result_is_published_and_kept_only_at_full_size(options, monkeypatch):
    told = []
    monkeypatch.setattr(trial, "publish", lambda found, _, **how: told.append((found, how)) or 0)
    assert trial.hold("anomaly", lambda *_: "found", options) == 0
    monkeypatch.setenv("SCALE", "0.1")
    assert trial.hold("anomaly", lambda *_: "found", options) == 0
    assert told == [
        ("found", {"is_full": True, "is_checked": False}),
        ("found", {"is_full": False, "is_checked": False}),
    ]
