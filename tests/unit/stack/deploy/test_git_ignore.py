"""What git must not see of a server's folder."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from airfoil.stack.deploy import git_ignore

pytestmark = pytest.mark.unit

PRIVATE = (
    ".env",
    ".env.before-restore",
    "..env.5f2a.tmp",
    "setup.json",
    "compose.override.yaml",
    "worker-berta.yaml",
    "workers/list.json",
    "tls/tls.key",
    "certificates/own.key",
    "ca.crt",
    "ca.crt.new",
)
SHIPPED = (
    "compose.yaml",
    "env.example",
    "Dockerfile",
    "Dockerfile.dockerignore",
    "images/airflow.txt",
    "s3.sh",
)


def test_a_first_one_holds_every_line():
    assert [line for line in git_ignore.rendered("").splitlines() if not line.startswith("#")] == list(
        git_ignore.LINES
    )


def test_what_a_person_wrote_stays_and_what_is_there_is_not_written_twice():
    theirs = "# Mine.\nnotes/\nsetup.json\n!compose.override.yaml"
    found = git_ignore.rendered(theirs)
    assert found.startswith(f"{theirs}\n")
    assert set(git_ignore.LINES) <= set(found.splitlines())
    assert found.count("setup.json") == 1
    assert git_ignore.rendered(found) == found


def test_a_line_after_ours_wins_and_stays():
    found = git_ignore.rendered("") + "!compose.override.yaml\n"
    assert git_ignore.rendered(found) == found


@pytest.mark.parametrize("name", PRIVATE)
def test_we_know_them_too(name):
    assert git_ignore.leaves_out(name)


@pytest.mark.parametrize("name", [*SHIPPED, "constraints.txt", "wheels/airfoil.whl"])
def test_what_a_clone_needs_is_not_left_out(name):
    assert not git_ignore.leaves_out(name)


def test_git_reads_it_so(tmp_path):
    if shutil.which("git") is None:
        pytest.skip("no git on this machine")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in (*PRIVATE, *SHIPPED):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / git_ignore.NAME).write_text(git_ignore.rendered(""), encoding="utf-8")
    argv = ["git", "-C", tmp_path, "status", "--porcelain", "--untracked-files=all"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert {line[3:] for line in said.splitlines()} == {*SHIPPED, git_ignore.NAME}
