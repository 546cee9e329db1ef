import ast
import tomllib

import pytest
import yaml

from airfoil.cli import templates
from airfoil.cli.init import Template
from airfoil.errors import InternalError

pytestmark = pytest.mark.unit


@pytest.fixture
def package(tmp_path):
    """A package as in a wheel: everything inside, no checkout around it."""
    found = tmp_path / "site-packages" / "airfoil"
    ground = ("airfoil.toml", "README.md", "src/NAME/__init__.py", "dags/first_dag.py", "tests/x.pyc")
    for name in (
        *(f"minimal/{path}" for path in ground),
        "training/README.md",
        "training/dags/first_dag.py",
        "dags/simple_test_dag.py",
        "dags/example_dag.py",
        "dags/data_validation_pipeline.py",
        "dags/database_cleanup.py",
        "dags/contracts/trips.yaml",
        "dags/feast_feature_materialization.py",
        "dags/ml_model_training_pipeline.py",
        "dags/ml_pipeline.py",
        "dags/platform_backup.py",
        "dags/contracts/iris.yaml",
        "dags/trading_strategy_train.py",
        "dags/contracts/lost_customers.yaml",
        "dags/nyc_taxi_duration_prediction.py",
        "dags/nyc_taxi_linear_duration_prediction.py",
    ):
        path = found / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.parts[-3]} {path.parts[-2]} of {{{{name}}}}")
    return found


def test_a_wheel_needs_no_checkout(package, tmp_path):
    assert templates.files("minimal", "shop", package, tmp_path / "nowhere") == {
        "README.md": "templates minimal of shop",
        "airfoil.toml": "templates minimal of shop",
        "src/shop/__init__.py": "src NAME of shop",
        "dags/first_dag.py": "minimal dags of shop",
        "dags/simple_test_dag.py": "templates dags of shop",
    }


def test_a_template_holds_what_differs_from_the_minimal_one(package, tmp_path):
    files = templates.files("training", "shop", package, tmp_path)

    assert files["README.md"] == "templates training of shop"
    assert files["airfoil.toml"] == "templates minimal of shop"
    assert {path: text for path, text in files.items() if path.startswith("dags/")} == {
        "dags/first_dag.py": "training dags of shop",
        "dags/example_dag.py": "templates dags of shop",
    }


def test_all_ships_every_dag(package, tmp_path):
    (package / "templates/all").mkdir()

    files = templates.files("all", "shop", package, tmp_path)

    assert {path for path in files if path.startswith("dags/")} == {
        "dags/first_dag.py",
        "dags/simple_test_dag.py",
        "dags/example_dag.py",
        "dags/data_validation_pipeline.py",
        "dags/database_cleanup.py",
        "dags/contracts/trips.yaml",
        "dags/feast_feature_materialization.py",
        "dags/ml_model_training_pipeline.py",
        "dags/ml_pipeline.py",
        "dags/platform_backup.py",
        "dags/contracts/iris.yaml",
        "dags/trading_strategy_train.py",
        "dags/contracts/lost_customers.yaml",
        "dags/nyc_taxi_duration_prediction.py",
        "dags/nyc_taxi_linear_duration_prediction.py",
    }


def test_all_brings_the_shipped_definitions_of_features():
    """They live in this repository's own features/, and in the template for it."""
    shipped = templates.CHECKOUT / "features"
    files = templates.files("all", "airfoil")
    for name in ("customers.py", "feature_store.yaml"):
        assert files[f"features/{name}"] == (shipped / name).read_text(encoding="utf-8")
    assert "features/customers.py" not in templates.files("minimal", "shop")


def test_a_checkout_gives_its_own_dags(package, tmp_path):
    (package / "templates/dags/simple_test_dag.py").unlink()
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/simple_test_dag.py").write_text("from the checkout")

    assert (
        templates.files("minimal", "shop", package, tmp_path)["dags/simple_test_dag.py"]
        == "from the checkout"
    )


@pytest.mark.parametrize(
    "path", ["minimal/airfoil.toml", "minimal/dags/first_dag.py", "dags/simple_test_dag.py"]
)
def test_an_incomplete_installation_says_so(package, tmp_path, path):
    (package / "templates" / path).unlink()

    for template in ("minimal", "all"):
        with pytest.raises(InternalError, match=f"lacks files of the template {template}"):
            templates.files(template, "shop", package, tmp_path)


def test_the_name_stands_wherever_the_package_is_meant_and_nowhere_else(package, tmp_path):
    path = package / "templates/minimal/dags/first_dag.py"
    path.write_text(
        '"""src/NAME/features.py of {{name}}"""\nfrom NAME.features import x\nURL = "//HOST/NAME"\n'
    )

    found = templates.files("minimal", "shop", package, tmp_path)["dags/first_dag.py"]

    assert found == '"""src/shop/features.py of shop"""\nfrom shop.features import x\nURL = "//HOST/NAME"\n'


def test_the_names_agree_with_the_command():
    assert tuple(template.value for template in Template) == tuple(templates.SHIPPED_DAGS)


def test_the_wheel_gets_every_dag_that_a_template_ships(repository):
    build = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]

    assert build["wheel"]["force-include"]["dags"] == f"airfoil/templates/{templates.DAGS}"
    for dags in templates.SHIPPED_DAGS.values():
        assert [dag for dag in dags if not (repository / "dags" / dag).is_file()] == []


@pytest.mark.parametrize("template", list(templates.SHIPPED_DAGS))
def test_every_template_is_whole(template):
    files = templates.files(template, "shop")

    assert {"airfoil.toml", "pyproject.toml", ".gitignore", "README.md", "src/shop/__init__.py"} <= set(files)
    own = f"{templates.FIRST_DAG}.py"
    assert {f"dags/{dag}" for dag in (own, *templates.SHIPPED_DAGS[template])} == {
        path for path in files if path.startswith("dags/") and path.endswith((".py", ".yaml"))
    }
    assert not any("{{" in text and "name}}" in text for text in files.values())
    assert "from shop.features import" in files[f"dags/{own}"]
    assert {"tests/test_dags.py", "tests/test_features.py", "src/shop/features.py"} <= set(files)
    assert sum(text.count("Next edit ") for text in files.values()) == 3
    for path, text in files.items():
        if path.endswith(".py"):
            ast.parse(text)
        if path.endswith(".toml"):
            tomllib.loads(text)
    assert tomllib.loads(files["airfoil.toml"])["project"]["name"] == "shop"


def test_one_shipped_dag_can_be_had_by_itself(package, tmp_path):
    assert templates.shipped_dag("simple_test_dag.py", package, tmp_path) == "templates dags of {{name}}"
    assert "platform_backup" in templates.shipped_dag("platform_backup.py")
    with pytest.raises(InternalError, match=r"lacks the DAG file nothing\.py"):
        templates.shipped_dag("nothing.py", package, tmp_path)


@pytest.mark.parametrize("template", ["minimal", "training", "all"])
def test_every_template_checks_itself_in_ci(template):
    text = templates.files(template, "shop")[".github/workflows/airfoil.yml"]
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    steps = workflow["jobs"]["check"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    assert runs[-2:] == ["airfoil check", "python -m pytest tests"]
    assert all(command.split()[0] in {"pip", "if", "airfoil", "python"} for command in runs)
    assert "secrets." not in text
