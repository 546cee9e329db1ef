"""Service logs: their last lines, the line that tells why, and rotation under the hands of a writer."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from airfoil.stack import logs

pytestmark = pytest.mark.unit


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "Dienst ü.log"


def sizes(log: Path) -> dict[str, int]:
    return {path.name.removeprefix(log.name): path.stat().st_size for path in log.parent.iterdir()}


# -- the last lines


def test_the_last_lines_oldest_first_without_empty_ones(log):
    log.write_text("one\n\n  two  \n\nthree\n\n")
    assert logs.last_lines(log, 2) == ["  two", "three"]
    assert logs.last_lines(log, 10) == ["one", "  two", "three"]
    assert logs.last_lines(str(log), 1) == ["three"]


def test_no_log_and_an_empty_log_have_no_lines(log):
    assert logs.last_lines(log, 3) == []
    assert logs.last_lines("", 3) == []
    log.touch()
    assert logs.last_lines(log, 3) == []


def test_of_a_huge_log_only_the_end_is_read_and_broken_text_is_shown(log):
    log.write_bytes(b"x" * 300_000 + b"\nlast \xff line\nunfinished")
    assert logs.last_lines(log, 2) == ["last \ufffd line", "unfinished"]
    assert len(logs.last_lines(log, 3)[0]) <= 64 * 1024


# -- the evidence

TRACE = """Traceback (most recent call last):
  File "x.py", line 1, in <module>
    raise ValueError("boom: no")
ValueError: boom: no
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ""),
        ("INFO: all is well\nready\n", ""),
        (TRACE, "ValueError: boom: no"),
        (
            "sqlalchemy.exc.OperationalError: (psycopg) refused\n",
            "sqlalchemy.exc.OperationalError: (psycopg) refused",
        ),
        ("x.MyException: a\n", "x.MyException: a"),
        ("SystemExit: 3\nKeyboardInterrupt: x\n", "KeyboardInterrupt: x"),
        ("airfoil: the database is half-migrated.\n", "the database is half-migrated."),
        ("airfoil: our word\n" + TRACE, "our word"),
        ("airfoil: first\nairfoil: last\nbye\n", "last"),
        (TRACE + "INFO: shutting down\n" * 20, "ValueError: boom: no"),
        (TRACE + "INFO: line\n" * 60, ""),
        ("not an Error: prose\nError\nmyairfoil: no\n", ""),
        ("LongError: " + "x" * 1000 + "\n", "LongError: " + "x" * 289),
    ],
)
def test_evidence_is_our_own_word_else_the_last_exception(log, text, found):
    log.write_text(text)
    assert logs.evidence(log) == found


def test_what_stood_in_the_log_before_is_no_evidence(log):
    log.write_text(TRACE)
    began = log.stat().st_size
    assert logs.evidence(log, began) == ""
    with log.open("a") as file:
        file.write("KeyError: 'new'\n")
    assert logs.evidence(log, began) == "KeyError: 'new'"
    assert logs.evidence(log.with_name("none.log"), 0) == ""


# -- rotation


def test_a_log_that_is_small_or_absent_or_unlimited_is_left_alone(log):
    assert not logs.rotate(log, 10, 3)
    log.write_text("x" * 10)
    assert not logs.rotate(log, 10, 3)
    assert not logs.rotate(log, 0, 3)
    assert sizes(log) == {"": 10}


def test_nothing_is_lost_and_the_newest_pieces_are_kept(log):
    written = b""
    with log.open("ab", buffering=0) as writer:
        for number in range(4):
            piece = bytes([ord("a") + number]) * 9_999 + b"\n"
            written += piece
            writer.write(piece)
            assert logs.rotate(log, 5_000, 2)
    assert set(sizes(log)) == {"", ".1", ".2"}
    assert log.stat().st_size <= 4_096
    kept = b"".join(log.with_name(log.name + end).read_bytes() for end in (".2", ".1", ""))
    assert written.endswith(kept)
    assert len(kept) > 12_000
    assert {path.stat().st_mode & 0o777 for path in log.parent.glob("*.[12]")} == {0o600}


def test_a_writer_goes_on_at_the_end_without_a_hole(log):
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 50_000)
        assert logs.rotate(log, 10_000, 1)
        writer.write(b"after\n")
    assert b"\0" not in log.read_bytes()
    assert logs.last_lines(log, 1)[0].endswith("after")


def test_without_backups_a_log_is_emptied(log):
    log.write_text("x" * 20)
    assert logs.rotate(log, 10, 0)
    assert sizes(log) == {"": 0}


def test_a_number_of_backups_that_was_lowered_takes_effect(log):
    log.write_text("new" * 10)
    for number in (1, 2):
        log.with_name(f"{log.name}.{number}").write_text(str(number))
    assert logs.rotate(log, 10, 1)
    assert log.with_name(f"{log.name}.1").read_text() == "new" * 10


def test_a_file_system_that_cannot_cut_off_the_beginning(log, monkeypatch):
    monkeypatch.setattr(logs, "_cut_off", lambda _descriptor, _count: False)
    text = "".join(f"line {number}\n" for number in range(2_000))
    log.write_text(text)
    assert logs.rotate(log, 10_000, 1)
    assert log.with_name(f"{log.name}.1").read_text() == text
    assert log.stat().st_size == 0


def test_a_full_disk_cuts_nothing_off(log, monkeypatch):
    def full(_descriptor: int, _count: int, _offset: int) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log.write_text("x" * 20_000)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", full)
        with pytest.raises(OSError, match="No space left"):
            logs.rotate(log, 10_000, 2)
    assert log.read_text() == "x" * 20_000


def cuts_in_one_step(folder: Path) -> bool:
    probe = folder / "probe"
    probe.write_bytes(b"x" * 10_000)
    with probe.open("r+b") as file:
        able = logs._cut_off(file.fileno(), os.fstat(file.fileno()).st_blksize)
    probe.unlink()
    return able


def test_a_writer_at_work_loses_no_line(log):
    """The writer appends as fast as it can while its log is cut a dozen times."""
    if not cuts_in_one_step(log.parent):
        pytest.skip(
            f"{log.parent}: this file system cannot cut off the beginning of a file, so a line may be lost"
        )
    count = 10_000
    started = threading.Event()

    def write() -> None:
        descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        for number in range(count):
            os.write(descriptor, b"line %06d\n" % number)
            started.set()
        os.close(descriptor)

    writer = threading.Thread(target=write)
    writer.start()
    started.wait(10)
    pieces = []
    while writer.is_alive():
        if logs.rotate(log, 10_000, 1):
            pieces.append(log.with_name(f"{log.name}.1").read_bytes())
    writer.join()
    assert len(pieces) > 1
    seen = b"".join([*pieces, log.read_bytes()])
    assert seen == b"".join(b"line %06d\n" % number for number in range(count))
