"""Packages that clash, lie, do not exist or are named in damaged files; and the same ways on the real index."""

from __future__ import annotations

import urllib.request

import pytest
from tests.integration.shops import PYPROJECT, UP_TO_DATE, Shop, make_python

from airfoil.stack.packages import constraints
from airfoil.stack.packages.lock import Lock

pytestmark = pytest.mark.integration


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


def test_a_wheel_that_is_not_the_locked_one_is_refused(shop, index, tmp_path):
    assert shop.add("zz-parcel").code == 0
    index.offer("zz-parcel", "1.0", code="print('somebody else was here')\n")
    colleague = Shop(shop.root, make_python(tmp_path / "other"), shop.environment)

    done = colleague.run("-c", UP_TO_DATE, str(shop.root))

    assert done.code == 1
    assert "zz-parcel==1.0 is not the file that was locked" in done.err
    assert colleague.version("zz_parcel") is None


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


@pytest.fixture
def pypi(shop):
    """The shop with the world's index instead of ours; without a way to it, the test says so."""
    for name in ("UV_DEFAULT_INDEX", "UV_NO_CACHE"):
        del shop.environment[name]
    try:
        with urllib.request.urlopen("https://pypi.org/simple/cowsay/", timeout=10):
            return shop
    except OSError as error:
        pytest.skip(f"pypi.org cannot be reached: {error}")


def test_real_packages_of_the_world(pypi):
    added = pypi.add("cowsay", "inflection>=0.5")
    assert added.code == 0, added.err
    assert '"cowsay>=' in pypi.pyproject
    said = pypi.run("-c", "import cowsay, inflection; print(inflection.camelize('own_code'))")
    assert said.out == "OwnCode\n", said.err
    before = pypi.files()

    clash = pypi.add("sqlmodel==0.0.8")

    assert clash.code == 1
    assert (
        "Error: sqlmodel==0.0.8 needs sqlalchemy>=1.4.17,<=1.4.41, but the platform is tested with sqlalchemy 2."
        in (clash.err)
    )
    assert "(apache-airflow-core needs sqlalchemy>=2" in clash.err
    assert pypi.files() == before


def test_a_provider_of_airflow_fits_beside_the_platform_as_it_is(pypi):
    """All of the platform is in its closure: the lock must repeat the tested versions, and move nothing."""
    added = pypi.add("apache-airflow-providers-sqlite")

    assert added.code == 0, added.err
    lock = Lock.read(pypi.root / "airfoil.lock")
    assert lock is not None
    assert len(lock.rows()) > 80
    pins = constraints.pins()
    assert [row for row in lock.rows() if row.name in pins and row.version not in pins[row.name]] == []
    assert pypi.run("-c", "import airflow.providers.sqlite.hooks.sqlite").code == 0
