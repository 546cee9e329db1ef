"""pyproject.toml read and edited: what is not ours stays as it is, to the byte."""

from __future__ import annotations

import tomllib

import pytest

from airfoil.errors import ConfigurationError, NotFoundError, ProjectError
from airfoil.stack.packages.manifest import Manifest, check_environment_name, parse

pytestmark = pytest.mark.unit

LINES = """\
# top
[project]
name = "shop" # the name
requires-python = ">=3.12,<3.14"
dependencies = [
    "airfoil[stack]",   # the platform
    # kept for the old report
    "Foo_Bar >=2; python_version > '3.8'",
]

[dependency-groups]
dev = ["pytest>=8.4"]
"""
FLAT = '[project]\nname = "shop"\ndependencies = ["a", "b"] # hi\n\n[tool.x]\ny = 1\n'


@pytest.fixture
def manifest(tmp_path):
    def write(text: str | bytes) -> Manifest:
        path = tmp_path / "pyproject.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Manifest.read(tmp_path)

    return write


def test_airfoil_itself_is_not_among_what_is_locked(manifest):
    assert manifest(LINES).requirements(None) == ("Foo_Bar >=2; python_version > '3.8'",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LINES, LINES.replace("'3.8'\",\n", '\'3.8\'",\n    "cowsay>=6",\n')),
        (FLAT, FLAT.replace('"b"]', '"b", "cowsay>=6"]')),
        (
            LINES.replace("\n", "\r\n"),
            LINES.replace("'3.8'\",\n", '\'3.8\'",\n    "cowsay>=6",\n').replace("\n", "\r\n"),
        ),
        ('[project]\nname = "shop"\n', '[project]\nname = "shop"\ndependencies = ["cowsay>=6"]\n'),
        (
            '[project]\nname = "x"\ndependencies = [\n]\n',
            '[project]\nname = "x"\ndependencies = [\n  "cowsay>=6",\n]\n',
        ),
    ],
    ids=["lines", "flat", "windows", "none", "empty"],
)
def test_a_package_is_added_as_its_neighbours_stand(manifest, text, expected):
    found = manifest(text).with_requirements(["cowsay>=6"], None)
    found.write()
    assert found.path.read_bytes().decode() == expected


def test_one_that_is_named_already_gets_the_new_wording_in_its_place(manifest):
    found = manifest(LINES).with_requirements(["foo.bar>=3", "foo-bar"], None)
    assert '    "foo.bar>=3",\n]' in found.text
    assert "# kept for the old report" in found.text
    assert manifest(FLAT).with_requirements(["a"], None).text == FLAT


def test_a_package_is_taken_away_with_its_line(manifest):
    assert manifest(FLAT).without(["B"], None).text == FLAT.replace('"a", "b"', '"a"')
    found = manifest(LINES).with_requirements(["cowsay"], None).without(["foo-bar", "cowsay"], None)
    assert found.requirements(None) == ()
    assert tomllib.loads(found.text)["dependency-groups"] == {"dev": ["pytest>=8.4"]}
    with pytest.raises(NotFoundError, match="names no package z for the environment old"):
        manifest(LINES).without(["z"], "old")


def test_an_environment_has_a_table_of_its_own_that_goes_with_its_last_package(manifest):
    found = manifest(FLAT).with_requirements(["pydantic<2", "q"], "old")

    assert found.text == FLAT + '\n[tool.airfoil.environments]\nold = ["pydantic<2", "q"]\n'
    assert (found.environments(), found.requirements("old")) == (("old",), ("pydantic<2", "q"))
    assert found.requirements(None) == ("a", "b")
    assert found.without(["pydantic"], "old").requirements("old") == ("q",)
    assert found.without(["pydantic", "q"], "old").text == FLAT


def test_a_floor_is_written_where_none_was_asked_for(manifest):
    asked = manifest(FLAT).with_requirements(["c", "d<3", "e @ https://x/e-1.whl", "f[x]"], None)
    versions = {"a": "1", "c": "1.5+cpu", "d": "2", "e": "1", "f": "7"}

    found = asked.with_floors(versions, ["c", "d", "e", "f", "g"], None)

    assert found.requirements(None) == ("a", "b", "c>=1.5", "d<3", "e @ https://x/e-1.whl", "f[x]>=7")


@pytest.mark.parametrize(
    ("bounds", "oldest"),
    [
        (">=3.12,<3.14", "3.12"),
        ("~=3.12", "3.12"),
        ("==3.12.*", "3.12"),
        ("<4", "3.11"),
        ("nonsense", "3.11"),
        ("", "3.11"),
    ],
)
def test_the_oldest_python_that_a_lock_must_fit(manifest, bounds, oldest):
    assert manifest(LINES.replace(">=3.12,<3.14", bounds)).oldest_python == oldest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[project\n", "is not valid TOML"),
        (b"\xff", "is not UTF-8 text"),
        ("", r"has no \[project\] table"),
        ('[project]\nname = "Airfoil"\n', "is Airfoil's own"),
        ('[project]\nname = "x"\ndynamic = ["dependencies"]\n', "declares its dependencies dynamic"),
        ('[project]\nname = "x"\ndependencies = {a = 1}\n', "is not a list of packages"),
        ('[project]\nname = "x"\ndependencies = [1]\n', "is not a list of packages"),
        ('[project]\nname = "x"\ndependencies = ["a b"]\n', "'a b' names no package"),
        ('[project]\nname = "x"\n[tool.airfoil.environments]\n-x = []\n', "'-x' cannot be the name"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(manifest, text, sentence):
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        manifest(text)
    assert refused.value.next_move


def test_a_missing_file_is_begun_only_when_asked(tmp_path):
    with pytest.raises(ProjectError, match="is missing"):
        Manifest.read(tmp_path)
    assert Manifest.read(tmp_path, "shop").requirements(None) == ()
    assert not (tmp_path / "pyproject.toml").exists()


def test_mode_and_link_of_the_file_stay(tmp_path):
    (tmp_path / "real.toml").write_text(FLAT)
    (tmp_path / "real.toml").chmod(0o640)
    (tmp_path / "pyproject.toml").symlink_to("real.toml")

    Manifest.read(tmp_path).with_requirements(["c"], None).write()

    assert (tmp_path / "pyproject.toml").is_symlink()
    assert '"c"' in (tmp_path / "real.toml").read_text()
    assert (tmp_path / "real.toml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml", "real.toml"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "-a", "ä", "a" * 101, "a b"])
def test_a_name_that_is_no_folder_is_no_environment(name):
    with pytest.raises(ConfigurationError):
        check_environment_name(name)


def test_a_requirement_is_read_as_people_write_it():
    assert str(parse(" cowsay >= 6 ")) == "cowsay>=6"
    with pytest.raises(ConfigurationError, match="names no package"):
        parse("--index-url x")
