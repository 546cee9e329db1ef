"""What is printed of backups."""

from __future__ import annotations

import pytest
from tests.unit.stack.backup.test_manifest import made

from airfoil.cli import backup_view
from airfoil.errors import StorageError
from airfoil.stack.backup.catalogue import Entry
from airfoil.stack.backup.restoration import Restored
from airfoil.stack.backup.retention import Pruned
from airfoil.stack.backup.verification import Finding

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 * 2**30, "5.0 GiB"), (2**50, "1024.0 TiB")],
)
def test_sizes(count, said):
    assert backup_view.size(count) == said


def test_a_list_shows_damage_beside_the_rest(capsys):
    backup_view.print_entries([Entry("b1", made()), Entry("b2", problem=StorageError("It is damaged."))])
    out = capsys.readouterr().out
    assert "2 runs" in out
    assert "It is damaged." in out
    assert backup_view.entry_row(Entry("b2", problem=StorageError("It."))) == {"name": "b2", "problem": "It."}


def test_a_new_backup_says_what_it_lacks_and_what_went(capsys):
    one = made(left_out=(("Feast's online store", "It is filled again."),))
    backup_view.print_made(one, Pruned(("old",), 2048), "s3://k:secret@b", own_disk=True)
    seen = capsys.readouterr()
    assert "Removed 1 older, 2.0 KiB: old." in seen.out
    assert "secret" not in seen.out
    assert f"airfoil backup verify {one.name}" in seen.out
    assert "Feast's online store is not in it. It is filled again." in seen.err
    assert "same disk" in seen.err


def test_findings_have_signs_and_a_verdict(capsys):
    findings = [
        Finding("airflow", "ok", "fine"),
        Finding("model", "skipped", "none"),
        Finding("mlflow", "failed", "bad"),
    ]
    for one in findings:
        backup_view.print_finding(one)
    lines = capsys.readouterr().out.splitlines()
    assert [line[0] for line in lines] == ["✓", "-", "✗"]
    assert backup_view.passed(findings[:2])
    assert not backup_view.verdict(made(), findings)["passed"]


def test_a_restore_says_where_everything_is(capsys, tmp_path):
    done = Restored(tmp_path, {"airflow": 8}, 3, kept=tuple("abcdefg"), aside=("/old",), notes=("A note.",))
    backup_view.print_restored(made(), done, 1.5)
    seen = capsys.readouterr()
    assert "What was there before: /old" in seen.out
    assert "airfoil up" in seen.out
    assert "a, b, c, d, e, ..." in seen.err
    assert backup_view.restored_row(made(), done)["databases"] == {"airflow": 8}
