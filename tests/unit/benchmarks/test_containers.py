"""How a contender in containers is spoken to; the engine itself is met by the benchmark."""

from pathlib import Path

import pytest
from benchmarks import containers
from benchmarks.contender import BenchmarkError

pytestmark = pytest.mark.unit


def test_the_named_program_is_used(monkeypatch):
    monkeypatch.setenv("COMPOSE_PROGRAM", "/opt/compose")
    assert containers.compose_program() == ["/opt/compose"]


def test_a_command_that_fails_says_what_it_said():
    with pytest.raises(BenchmarkError, match=r"(?s)ended with 3.*no such thing"):
        containers.run(["sh", "-c", "echo no such thing >&2; exit 3"])


def test_compose_is_told_files_project_and_values(tmp_path, monkeypatch):
    program = tmp_path / "compose"
    program.write_text('#!/bin/sh\necho "$@" "$LIMIT"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("COMPOSE_PROGRAM", str(program))
    found = containers.Containers(tmp_path, [Path("a.yaml"), Path("b.yaml")], "shop", {"LIMIT": "4"})
    assert found.compose("ps", "--quiet").split() == [
        *("--project-directory", str(tmp_path), "-p", "shop", "-f", "a.yaml", "-f", "b.yaml"),
        *("ps", "--quiet", "4"),
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("usage_usec 2500000\nuser_usec 1\n", 2.5), ("nr_periods 0\nusage_usec 1000000\n", 1.0)],
)
def test_processor_time_is_read_where_the_kernel_has_it(tmp_path, monkeypatch, text, seconds):
    (tmp_path / "abc").write_text(text, encoding="ascii")
    monkeypatch.setattr(containers, "_GROUPS", ((f"{tmp_path}/{{id}}", 1e6),))
    assert containers._cpu_seconds("abc") == seconds
    with pytest.raises(BenchmarkError, match="processor time"):
        containers._cpu_seconds("def")
