import os

import pytest

from airfoil.cli.log_files import BLOCK_BYTES, LogFollower, last_lines, width_of

pytestmark = pytest.mark.unit


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "mlflow.log"
    path.write_text("one\ntwo\nthree\n")
    return path


@pytest.fixture
def follower(log):
    found = LogFollower(log)
    yield found
    found.close()


def append(path, text):
    with path.open("a") as file:
        file.write(text)


def test_last_lines(log, tmp_path):
    assert last_lines(log, 2) == ["two", "three"]
    assert last_lines(log, 99) == ["one", "two", "three"]
    assert last_lines(log, 0) == []
    assert last_lines(tmp_path / "absent.log", 5) == []


def test_last_lines_of_a_large_file(tmp_path):
    path = tmp_path / "large.log"
    path.write_bytes(
        b"x" * 99 + b"\n" + b"".join(b"%099d\n" % number for number in range(3 * BLOCK_BYTES // 100))
    )

    assert [int(line) for line in last_lines(path, 1500)] == list(
        range(3 * BLOCK_BYTES // 100 - 1500, 3 * BLOCK_BYTES // 100)
    )


def test_bytes_that_are_no_text_do_not_stop_anything(tmp_path):
    path = tmp_path / "odd.log"
    path.write_bytes(b"gr\xf6\xdfe\n\x00\n")

    assert last_lines(path, 5)[0] == "gr��e"


def test_what_is_added_is_given_once_and_in_whole_lines(log, follower):
    assert follower.last_lines(2) == ["two", "three"]
    append(log, "four\nfi")
    assert follower.new_lines() == ["four"]
    assert follower.new_lines() == []
    append(log, "ve\nsix\n")
    assert follower.new_lines() == ["five", "six"]


def test_a_line_that_is_being_written_is_not_cut_in_two(log):
    append(log, "half")
    follower = LogFollower(log)

    assert follower.last_lines(1) == ["three"]
    append(log, " a line\n")
    assert follower.new_lines() == ["half a line"]

    follower.close()


def test_a_log_that_does_not_exist_yet_is_waited_for(tmp_path):
    path = tmp_path / "later.log"
    follower = LogFollower(path)

    assert (follower.last_lines(3), follower.new_lines()) == ([], [])
    path.write_text("first\n")
    assert follower.new_lines() == ["first"]

    follower.close()


def test_rotation_by_copying_and_cutting_loses_and_repeats_nothing(log, follower):
    append(log, "four\n")
    assert follower.new_lines() == ["four"]
    append(log, "five\n")
    log.with_name("mlflow.log.1").write_bytes(log.read_bytes())
    os.truncate(log, 0)
    append(log, "six\n")

    assert follower.new_lines() == ["five", "six"]
    append(log, "seven\n")
    assert follower.new_lines() == ["seven"]


def test_rotation_by_renaming_loses_and_repeats_nothing(log, follower):
    append(log, "four\n")
    log.rename(log.with_name("mlflow.log.1"))
    assert follower.new_lines() == ["four"]
    log.write_text("five\n")

    assert follower.new_lines() == ["five"]
    append(log, "six\n")
    assert follower.new_lines() == ["six"]


def test_truncation_without_a_copy_starts_again(log, follower):
    os.truncate(log, 0)
    append(log, "new\n")

    assert follower.new_lines() == ["new"]


def test_a_log_that_is_deleted_and_made_again(log, follower):
    log.unlink()
    assert follower.new_lines() == []
    log.write_text("again\n")

    assert follower.new_lines() == ["again"]


def test_width():
    assert width_of(["a", "page"]) == 4
    assert width_of([]) == 0
