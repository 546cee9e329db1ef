import ast
import tomllib

import pytest

from airfoil.cli import templates
from airfoil.cli.init import Template
from airfoil.errors import InternalError

pytestmark = pytest.mark.unit


@pytest.fixture
def package(tmp_path):
    """A package as in a wheel: everything inside, no checkout around it."""
    found = tmp_path / "site-packages" / "airfoil"
    ground = ("airfoil.toml", "README.md", "src/NAME/__init__.py", "dags/simple_test_dag.py", "tests/x.pyc")
    for name in (
        *(f"minimal/{path}" for path in ground),
        "training/README.md",
        "training/dags/example_dag.py",
    ):
        path = found / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.parts[-2]} of {{{{name}}}}")
    return found


def test_a_wheel_needs_no_checkout(package, tmp_path):
    assert templates.files("minimal", "shop", package, tmp_path / "nowhere") == {
        "README.md": "minimal of shop",
        "airfoil.toml": "minimal of shop",
        "src/shop/__init__.py": "NAME of shop",
        "dags/simple_test_dag.py": "dags of shop",
    }


def test_a_template_holds_what_differs_from_the_minimal_one(package, tmp_path):
    files = templates.files("training", "shop", package, tmp_path)

    assert (files["README.md"], files["airfoil.toml"]) == ("training of shop", "minimal of shop")
    assert [path for path in files if path.startswith("dags/")] == ["dags/example_dag.py"]


def test_all_takes_dags_from_every_template(package, tmp_path):
    (package / "templates/all").mkdir()

    files = templates.files("all", "shop", package, tmp_path)

    assert [path for path in files if path.startswith("dags/")] == [
        "dags/simple_test_dag.py",
        "dags/example_dag.py",
    ]


def test_a_checkout_gives_its_own_dags(package, tmp_path):
    (package / "templates/minimal/dags/simple_test_dag.py").unlink()
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/simple_test_dag.py").write_text("from the checkout")

    assert (
        templates.files("minimal", "shop", package, tmp_path)["dags/simple_test_dag.py"]
        == "from the checkout"
    )


@pytest.mark.parametrize("path", ["minimal/airfoil.toml", "minimal/dags/simple_test_dag.py"])
def test_an_incomplete_installation_says_so(package, tmp_path, path):
    (package / "templates" / path).unlink()

    for template in ("minimal", "all"):
        with pytest.raises(InternalError, match=f"lacks files of the template {template}"):
            templates.files(template, "shop", package, tmp_path)


def test_the_names_agree_with_the_command():
    assert tuple(template.value for template in Template) == tuple(templates.SHIPPED_DAGS)


def test_the_wheel_gets_every_dag_that_a_template_ships(repository):
    build = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]

    included = {source: target.split("/", 2)[2] for source, target in build["force-include"].items()}

    dags = {dag for dags in templates.SHIPPED_DAGS.values() for dag in dags}
    assert {source for source in included if source.startswith("dags/")} == {f"dags/{dag}" for dag in dags}
    assert all(target.endswith(source) for source, target in included.items())


@pytest.mark.parametrize("template", list(templates.SHIPPED_DAGS))
def test_every_template_is_whole(template):
    files = templates.files(template, "shop")

    assert {"airfoil.toml", "pyproject.toml", ".gitignore", "README.md", "src/shop/__init__.py"} <= set(files)
    assert {f"dags/{dag}" for dag in templates.SHIPPED_DAGS[template]} == {
        path for path in files if path.startswith("dags/") and path.endswith(".py")
    }
    assert not any("{{" in text and "name}}" in text for text in files.values())
    for path, text in files.items():
        if path.endswith(".py"):
            ast.parse(text)
        if path.endswith(".toml"):
            tomllib.loads(text)
    assert tomllib.loads(files["airfoil.toml"])["project"]["name"] == "shop"
