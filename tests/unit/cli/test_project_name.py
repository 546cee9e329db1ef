import pytest

from airfoil.cli.project_name import project_name

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("My Shop-2", "my_shop_2"),
        ("Größe 1", "grosse_1"),
        ("café.ml", "cafe_ml"),
        ("2fast", "project_2fast"),
        ("数据", "project"),
        ("", "project"),
        ("___", "project"),
        ("class", "class_project"),
        ("json", "json_project"),
        ("tests", "tests_project"),
        ("airflow", "airflow_project"),
        ("mlflow", "mlflow_project"),
        ("airfoil", "airfoil_project"),
        ("x" * 200, "x" * 60),
    ],
)
def test_names(folder, name):
    found = project_name(folder)

    assert found == name
    assert found.isidentifier()
    assert found.isascii()


def test_a_folder_of_that_name_beside_us_is_not_a_package(tmp_path, monkeypatch):
    (tmp_path / "my_new_shop").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    assert project_name("my new shop") == "my_new_shop"
