"""A machine on which Docker only pretends, with a server's files: to run install.sh, verify.sh and sbom.sh on.

What docker is asked for is answered as variables of the test say, and what changes something is noted in `deeds`. Must
not start anything that outlives its script.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from airfoil.settings import load
from airfoil.stack.deploy import compose
from airfoil.stack.project import Project

OURS = str(Path(sys.executable).with_name("airfoil"))
DOCKER = """#!/bin/sh
case "$*" in
  "info") exit ${DOCKER_INFO:-0} ;;
  "info --format {{.NCPU}}") echo ${PROCESSORS:-2} ;;
  "info --format"*) echo / ;;
  "version"*) echo 26.1 ;;
  "compose version"*) echo ${COMPOSE_VERSION:-2.26.1} ;;
  "compose build --quiet") sed -n 's/^AIRFOIL_TAG=/built as /p' .env >> deeds ;;
  "compose config --images") tag=$(sed -n 's/^AIRFOIL_TAG=//p' .env)
    for image in ${IMAGES:-airflow mlflow features status}; do echo "airfoil/$image:$tag"; done ;;
  "compose up"*) sed -n 's/^AIRFOIL_TAG=/started as /p' .env >> deeds
    if [ -z "${SERVER_STARTS:-}" ]; then echo "no server here" >&2; exit 1; fi ;;
  "compose exec -T proxy cat "*) echo "of the proxy" ;;
  "compose logs"*) ;;
  "build "*) echo "docker $*" >> deeds ;;
  "run --rm --user "*" airfoil deploy compose "*)
    echo "docker $*" >> deeds; sed -i "s/^AIRFOIL_TAG=.*/AIRFOIL_TAG=$IMAGE_RELEASE/" .env ;;
  "compose config --quiet") if [ -n "${COMPOSE_FAULT:-}" ]; then echo "$COMPOSE_FAULT" >&2; exit 1; fi
    for name in ${UNSET:-}; do echo 'level=warning msg="The \\\\"'$name'\\\\" variable is not set."' >&2; done ;;
  "compose ps --all --services") printf '%s\\n' ${SERVICES_THERE:-} ;;
  "compose rm "*) echo "docker $*" >> deeds ;;
  "compose ps"*) if [ -n "${CONTAINERS:-}" ]; then echo "$CONTAINERS" | tr , '\\n'; fi ;;
  "compose config --services") printf '%s\\n' ${SERVICES:-} ;;
  "inspect"*) for last; do :; done; echo "$last" | tr _ ' ' ;;
  "image inspect"*) exit ${NO_IMAGE:-0} ;;
  "run --rm --network none --entrypoint python "*)
    printf '{"components": [\n{"purl": "pkg:pypi/a@1"},\n{"purl": "pkg:pypi/b@2"}\n]}'; exit ${OLD_IMAGE:-0} ;;
  *) echo "not expected: $*" >&2; exit 99 ;;
esac
"""
CURL = """#!/bin/sh
printf '%s\\n' "$*" | sed -n 's/.*--cacert \\([^ ]*\\) .*/trusted \\1/p' >> deeds
for address; do :; done
case "$address" in
  */auth/token) printf '{"access_token": "t"}\\n200' ;;
  */execution/health) printf '\\n%s' "$EXECUTION" ;;
  https://localhost:2/ | */api/v2/monitor/health) printf '\\n200' ;;
  *) case "$*" in *" --header "*) printf '\\n200' ;; *) printf '\\n401' ;; esac ;;
esac
"""


def written(tmp_path):
    """Write a project with its server's files, and a docker that only pretends."""
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin" / "docker"
    docker.write_text(DOCKER, encoding="utf-8")
    docker.chmod(0o755)
    root = tmp_path / "shop"
    root.mkdir()
    (root / "airfoil.toml").write_text('[project]\nname = "shop"\n', encoding="utf-8")
    return written_server(root, "deploy/compose")


def written_server(root, inside, **shell):
    """Write the server's files as a person does whose shell says this."""
    folder = root / inside
    compose.write(compose.rendered(Project(root), load(root, shell), folder, shell), folder)
    set_value(folder, "HTTP_PORT", "127.0.0.1:1")
    set_value(folder, "HTTPS_PORT", "127.0.0.1:2")
    return folder


def set_value(folder, name, value):
    path = folder / ".env"
    lines = path.read_text(encoding="utf-8").splitlines()
    changed = [f"{name}={value}" if line.startswith(f"{name}=") else line for line in lines]
    path.write_text("\n".join(changed) + "\n", encoding="utf-8")


def run(folder, *argv, **environment):
    own = {name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE", "AIRFOIL"))}
    docker = next(one / "bin" for one in folder.parents if (one / "bin" / "docker").exists())
    environ = own | {"PATH": f"{docker}:{os.environ['PATH']}"} | environment
    return subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def deeds(folder):
    path = folder / "deeds"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def answering(folder):
    """Let every page of the server answer, as if there were a proxy."""
    curl = next(one / "bin" for one in folder.parents if (one / "bin" / "docker").exists()) / "curl"
    curl.write_text(CURL, encoding="utf-8")
    curl.chmod(0o755)


def as_checkout(folder, release):
    """Let the project be a checkout of Airfoil, as after `git pull`."""
    root = next(one for one in folder.parents if (one / "airfoil.toml").exists())
    source = root / "src" / "airfoil" / "__init__.py"
    source.parent.mkdir(parents=True)
    source.write_text(f'__version__ = "{release}"\n', encoding="utf-8")


def ask(folder, words, **environment):
    return run(folder, "sh", "-c", f". ./steps.sh; {words}", **environment).stdout.strip()
