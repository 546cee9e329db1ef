"""Packages of a project: named, locked, installed and taken away by the real uv, from an index of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.integration.wheels import PackageIndex

from airfoil.stack.packages.uv import Uv

pytestmark = pytest.mark.integration

NOTHING_TO_DO_SECONDS = 0.2
PYPROJECT = """\
# Mine, with comments.
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
  "airfoil[stack]",  # the platform
]
"""
UP_TO_DATE = """
import contextlib, json, sys, time
from pathlib import Path
from airfoil.errors import AirfoilError
from airfoil.stack.packages import changes
from airfoil.stack.project import Project
began = time.perf_counter()
try:
    change, problem = changes.bring_up_to_date(Project(Path(sys.argv[1])), lambda what: contextlib.nullcontext())
except AirfoilError as error:
    sys.exit(f"{error} {error.next_move}")
print(json.dumps([change.installed, change.removed, change.needs_restart, problem, time.perf_counter() - began]))
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass
class Shop:
    """A project, and a Python of its own that has all of ours; what is installed goes into that one only."""

    root: Path
    python: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def pyproject(self) -> str:
        return (self.root / "pyproject.toml").read_text()

    def name(self, *packages: str) -> None:
        """Edit pyproject.toml by hand."""
        lines = "".join(f'  "{package}",\n' for package in packages)
        text = PYPROJECT.replace("# the platform\n", f"# the platform\n{lines}")
        (self.root / "pyproject.toml").write_text(text)

    def run(self, *arguments: str) -> Done:
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.root,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def add(self, *arguments: str) -> Done:
        return self.run("-m", "airfoil", "add", *arguments)

    def up_to_date(self) -> list:
        done = self.run("-c", UP_TO_DATE, str(self.root))
        assert done.code == 0, done.err
        return json.loads(done.out)

    def version(self, module: str, python: Path | None = None) -> str | None:
        """What a fresh process imports."""
        code = f"import {module}; print({module}.VERSION)"
        done = subprocess.run(
            [python or self.python, "-c", code], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() or None

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.root.glob("*") if path.is_file()}


def make_python(folder: Path) -> Path:
    """A virtualenv beside this one: it sees what is installed here, and keeps what is installed there."""
    Uv.find(folder.parent).make_environment(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith(("site-packages", "src"))]
    (site / "ours.pth").write_text("\n".join(ours) + "\n")
    return folder / "bin" / "python"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    """Packages: `parcel` in two versions, `van` that carries the older one, `relic` that needs an old pydantic."""
    found = PackageIndex(tmp_path / "index")
    found.offer("zz-parcel", "1.0")
    found.offer("zz-van", "1.5", requires=["zz-parcel<2"])
    found.offer("zz-relic", "0.3", requires=["pydantic<2"])
    found.offer("zz-museum", "1.0", requires=["zz-relic"])
    found.offer("zz-plugin", "1.0", entry_points="[airflow.plugins]\nzz = zz_plugin:Nothing\n")
    with found.served():
        yield found


@pytest.fixture
def shop(tmp_path: Path, index: PackageIndex) -> Shop:
    root = tmp_path / "größe 1"
    root.mkdir()
    (root / "airfoil.toml").write_text('[project]\nname = "shop"\n')
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = Shop(root, make_python(tmp_path / "venv"), {"PATH": path, **index.environment()})
    found.name()
    return found


def test_a_package_is_named_locked_and_installed(shop, index):
    done = shop.add("zz-van")

    assert (done.code, done.out) == (0, "Added zz-van 1.5.\n"), done.err
    assert '  "airfoil[stack]",  # the platform\n  "zz-van>=1.5",\n' in shop.pyproject
    assert shop.pyproject.startswith("# Mine, with comments.\n")
    lock = (shop.root / "airfoil.lock").read_text()
    assert "zz-parcel==1.0 \\\n    --hash=sha256:" in lock
    assert str(shop.root) not in lock
    assert index.url not in lock
    assert (shop.version("zz_van"), shop.version("zz_parcel")) == ("1.5", "1.0")


def test_what_was_locked_stays_until_an_upgrade_is_asked_for(shop, index):
    assert shop.add("zz-parcel").code == 0
    index.offer("zz-parcel", "1.9")

    assert shop.add("zz-van").code == 0
    assert shop.version("zz_parcel") == "1.0"

    assert shop.add("--upgrade").code == 0
    assert shop.version("zz_parcel") == "1.9"


def test_a_colleague_gets_exactly_the_lock_and_then_nothing_is_done(shop, index, tmp_path):
    assert shop.add("zz-van").code == 0
    index.offer("zz-parcel", "1.9")
    colleague = Shop(shop.root, make_python(tmp_path / "other"), shop.environment)
    assert colleague.version("zz_van") is None

    installed, removed, restart, problem, _ = colleague.up_to_date()
    assert (installed, removed, restart, problem) == (["zz-parcel 1.0", "zz-van 1.5"], [], False, "")
    assert colleague.version("zz_parcel") == "1.0"

    looks = [colleague.up_to_date() for _ in range(3)]
    assert [look[:4] for look in looks] == [[[], [], False, ""]] * 3
    print(f"nothing to do: {min(look[4] for look in looks):.3f} s")
    assert min(look[4] for look in looks) < NOTHING_TO_DO_SECONDS


def test_an_edit_by_hand_is_followed_and_what_nobody_names_goes(shop):
    assert shop.add("zz-van", "zz-plugin").code == 0
    shop.name("zz-parcel")

    installed, removed, restart, _, _ = shop.up_to_date()

    assert (installed, removed, restart) == ([], ["zz-plugin", "zz-van"], True)
    assert (shop.version("zz_van"), shop.version("zz_parcel")) == (None, "1.0")
    assert shop.up_to_date()[:2] == [[], []]


def test_what_is_removed_goes_unless_somebody_needs_it(shop):
    assert shop.add("zz-parcel", "zz-van").code == 0

    done = shop.add("--remove", "ZZ_Parcel")
    assert (done.code, done.out) == (0, "Removed ZZ_Parcel.\n"), done.err
    assert shop.version("zz_parcel") == "1.0", "the van carries it"

    assert shop.add("--remove", "zz-van").code == 0
    assert (shop.version("zz_van"), shop.version("zz_parcel")) == (None, None)
    assert shop.pyproject == PYPROJECT


def test_only_what_we_installed_is_ever_removed(shop, index):
    Uv.find(shop.root)._run(
        (
            "pip",
            "install",
            "--python",
            str(shop.python),
            "--default-index",
            index.url,
            "--no-cache",
            "zz-parcel",
        )
    )
    assert shop.add("zz-parcel").code == 0
    assert shop.add("--remove", "zz-parcel").code == 0
    assert shop.version("zz_parcel") == "1.0"


def test_a_replaced_package_or_a_plugin_needs_a_restart_a_new_one_does_not(shop, index):
    def generation() -> int:
        return json.loads((shop.root / ".airfoil/packages.json").read_text())["generation"]

    assert shop.add("zz-parcel").code == 0
    assert generation() == 0
    assert shop.add("zz-plugin").code == 0
    assert generation() == 1
    index.offer("zz-parcel", "3.0")
    assert shop.add("zz-parcel>=3").code == 0
    assert (shop.version("zz_parcel"), generation()) == ("3.0", 2)


@pytest.mark.parametrize(
    ("wish", "sentence", "apart"),
    [
        (
            "zz-relic",
            "zz-relic needs pydantic<2, but the platform is tested with pydantic 2.",
            "zz-relic",
        ),
        (
            "zz-museum",
            "zz-relic, which zz-museum needs, itself needs pydantic<2, but the platform is tested",
            "zz-museum",
        ),
        ("pydantic<2", "You ask for pydantic<2, but the platform is tested with pydantic 2.", "pydantic"),
    ],
)
def test_a_conflict_names_both_sides_and_changes_nothing(shop, wish, sentence, apart):
    assert shop.add("zz-parcel").code == 0
    before = shop.files()

    done = shop.add(wish)

    assert done.code == 1
    assert f"Error: {sentence}" in done.err, done.err
    assert "(apache-airflow-core needs pydantic>=2" in done.err
    assert f"Keep it apart: `airfoil add --environment {apart} '{wish}'`" in done.err
    assert shop.files() == before


def test_an_environment_apart_holds_what_does_not_fit(shop, index):
    index.offer("pydantic", "1.10")
    done = shop.add("--environment", "relics", "zz-relic")

    assert done.code == 0, done.err
    assert (
        done.out
        == "Added zz-relic 0.3 in the environment relics.\nIts Python is .airfoil/environments/relics/bin/python.\n"
    )
    assert shop.pyproject.endswith('[tool.airfoil.environments]\nrelics = ["zz-relic>=0.3"]\n')
    python = shop.root / ".airfoil/environments/relics/bin/python"
    assert (shop.version("zz_relic", python), shop.version("pydantic", python)) == ("0.3", "1.10")
    assert shop.version("zz_relic") is None, "it is apart"
    assert not (shop.root / "airfoil.lock").exists()
    assert shop.up_to_date()[:2] == [[], []]

    subprocess.run(["rm", "-r", str(shop.root / ".airfoil/environments")], check=True)
    assert shop.up_to_date()[0] == ["environment relics"]
    assert shop.version("zz_relic", python) == "0.3"

    python.unlink()  # as after an upgrade of the Python it came from
    assert shop.up_to_date()[0] == ["environment relics"]
    assert shop.version("zz_relic", python) == "0.3"

    assert shop.add("--environment", "relics", "--remove", "zz-relic").code == 0
    assert not python.exists()
    assert shop.pyproject == PYPROJECT
    assert list(shop.root.glob("*.lock")) == []


def test_offline_says_so_once_and_the_platform_can_start(shop, tmp_path):
    assert shop.add("zz-parcel").code == 0
    before = shop.files()
    shop.environment["UV_DEFAULT_INDEX"] = "http://127.0.0.1:9/simple/"
    began = time.monotonic()

    done = shop.add("zz-van")

    print(f"offline, said after {time.monotonic() - began:.1f} s")
    assert done.code == 1
    assert (
        "Error: The package index 127.0.0.1:9 cannot be reached.\nCheck the network, then try again.\n"
        in done.err
    )
    assert shop.files() == before

    colleague = Shop(shop.root, make_python(tmp_path / "other"), shop.environment)
    installed, _, _, problem, _ = colleague.up_to_date()
    assert installed == []
    assert problem == (
        "The package index 127.0.0.1:9 cannot be reached. "
        "What airfoil.lock adds is not installed; `airfoil up` tries again."
    )


def test_a_wheel_that_is_not_the_locked_one_is_refused(shop, index, tmp_path):
    assert shop.add("zz-parcel").code == 0
    index.offer("zz-parcel", "1.0", code="print('somebody else was here')\n")
    colleague = Shop(shop.root, make_python(tmp_path / "other"), shop.environment)

    done = colleague.run("-c", UP_TO_DATE, str(shop.root))

    assert done.code == 1
    assert "zz-parcel==1.0 is not the file that was locked" in done.err
    assert colleague.version("zz_parcel") is None


def test_two_at_once_both_count(shop):
    both = [
        subprocess.Popen(
            [shop.python, "-m", "airfoil", "add", package],
            cwd=shop.root,
            env={**os.environ, **shop.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for package in ("zz-parcel", "zz-van")
    ]
    for one in both:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said
    assert ('"zz-parcel>=1.0"' in shop.pyproject, '"zz-van>=1.5"' in shop.pyproject) == (True, True)
    assert (shop.version("zz_parcel"), shop.version("zz_van")) == ("1.0", "1.5")


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ("zz-nothing", "The package index has no package zz-nothing."),
        ("zz-parcel==7", "The package index has no zz-parcel==7."),
        ("x y z", "'x y z' names no package."),
        ("", "'' names no package."),
        ("airfoil", "Airfoil itself is not locked by a project."),
    ],
)
def test_nonsense_is_refused_and_nothing_changes(shop, wish, sentence):
    done = shop.add(wish)

    assert (done.code, f"Error: {sentence}" in done.err) == (1, True), done.err
    assert "Traceback" not in done.err
    assert shop.pyproject == PYPROJECT
    assert list(shop.root.glob("*.lock")) == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("pyproject.toml", b"[project\n", "is not valid TOML"),
        ("pyproject.toml", b"\xff\xfe", "is not UTF-8 text"),
        ("pyproject.toml", b"[tool.poetry]\nname = 'x'\n", "has no [project] table"),
        (
            "pyproject.toml",
            b"[project]\nname='x'\ndynamic=['dependencies']\n",
            "declares its dependencies dynamic",
        ),
        ("pyproject.toml", b"[project]\nname='x'\ndependencies='cowsay'\n", "is not a list of packages"),
        ("pyproject.toml", b"[project]\nname='x'\ndependencies=['a b']\n", "'a b' names no package"),
        (
            "pyproject.toml",
            b"[project]\nname='x'\n[tool.airfoil.environments]\n'../x'=[]\n",
            "cannot be the name",
        ),
        (
            "airfoil.lock",
            b"<<<<<<< HEAD\nx==1\n=======\nx==2\n>>>>>>> theirs\n",
            "marks of an unfinished merge",
        ),
        ("airfoil.lock", b"\xff", "is not UTF-8 text"),
    ],
)
def test_damaged_files_are_named(shop, name, content, sentence):
    assert shop.add("zz-parcel").code == 0
    (shop.root / name).write_bytes(content)

    for done in (shop.add("zz-van"), shop.run("-c", UP_TO_DATE, str(shop.root))):
        assert done.code == 1, done
        assert sentence in done.err
        assert name in done.err or "names no package" in done.err or "cannot be the name" in done.err
        assert "Traceback" not in done.err
    assert (shop.root / name).read_bytes() == content


def test_a_lock_of_garbage_is_made_anew(shop):
    assert shop.add("zz-parcel").code == 0
    (shop.root / "airfoil.lock").write_text("{}\n;;;\n")

    assert shop.up_to_date()[3] == ""
    assert "zz-parcel==1.0" in (shop.root / "airfoil.lock").read_text()


def test_a_project_without_a_lock_is_left_alone(shop):
    shop.name("zz-van")

    assert shop.up_to_date()[:4] == [[], [], False, ""]
    assert shop.version("zz_van") is None
    done = shop.add()
    assert (done.code, shop.version("zz_van")) == (0, "1.5")


def test_without_a_pyproject_one_is_begun(shop):
    (shop.root / "pyproject.toml").unlink()

    assert shop.add("zz-parcel").code == 0
    assert 'name = "shop"' in shop.pyproject
    assert 'dependencies = ["zz-parcel>=1.0"]' in shop.pyproject
