import os

import pytest

from airfoil.cli.init import write_new
from airfoil.errors import ConfigurationError, StorageError

pytestmark = pytest.mark.unit


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_project_and_what_to_do_next(here, airfoil):
    outcome = airfoil("init", "my shöp", "--template", "minimal")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"Made the project my_shop in {here / 'my shöp'}.\n\nNext:\n"
        "  cd 'my shöp'\n  airfoil up\n  airfoil run first_dag\n"
    )
    assert (here / "my shöp/src/my_shop/features.py").is_file()
    assert (here / "my shöp/dags/simple_test_dag.py").is_file()


def test_the_settings_it_writes_can_be_read(here, airfoil):
    from airfoil.settings import load

    airfoil("init", "shop")

    assert load(here / "shop", {}).project.name == "shop"


def test_here_needs_no_cd(here, airfoil):
    outcome = airfoil("init", ".")

    assert outcome.code == 0
    assert "  cd " not in outcome.out
    assert (here / "airfoil.toml").is_file()


def test_a_project_is_not_written_twice(here, airfoil):
    airfoil("init", "shop")
    (here / "shop/README.md").write_text("mine")

    outcome = airfoil("init", "shop")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: shop is an Airfoil project already.\ncd shop && airfoil up\n"
    assert (here / "shop/README.md").read_text() == "mine"


def test_files_that_exist_are_kept_and_named(here, airfoil):
    (here / "shop/dags").mkdir(parents=True)
    (here / "shop/README.md").write_text("mine")

    outcome = airfoil("init", "shop")

    assert outcome.code == 0
    assert "  kept your README.md\n" in outcome.out
    assert (here / "shop/README.md").read_text() == "mine"
    assert (here / "shop/airfoil.toml").is_file()


def test_a_file_in_place_of_the_folder(here, airfoil):
    (here / "shop").write_text("")

    outcome = airfoil("init", "shop")

    assert (outcome.code, outcome.err.splitlines()[0]) == (1, "Error: shop is a file.")


def test_a_file_in_place_of_a_folder_within(here, airfoil):
    (here / "shop").mkdir()
    (here / "shop/dags").write_text("")

    outcome = airfoil("init", "shop")

    assert outcome.code == 1
    assert "dags is a file" in outcome.err
    assert not (here / "shop/airfoil.toml").exists()


def test_an_init_that_broke_off_can_be_repeated(here, airfoil):
    (here / "shop").mkdir()
    (here / "shop/dags").write_text("")
    airfoil("init", "shop")
    (here / "shop/dags").unlink()

    assert airfoil("init", "shop").code == 0


def test_an_unknown_template_is_wrong_usage(here, airfoil):
    outcome = airfoil("init", "shop", "--template", "huge")

    assert outcome.code == 2
    assert "'huge' is not one of" in outcome.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    (tmp_path / "shop").mkdir(mode=0o500)

    with pytest.raises(StorageError):
        write_new(tmp_path / "shop/a.txt", "x")


def test_a_name_that_no_disk_takes(tmp_path):
    with pytest.raises(StorageError):
        write_new(tmp_path / ("x" * 300), "x")


def test_write_new_tells_whether_it_wrote(tmp_path):
    assert write_new(tmp_path / "a/b.txt", "x")
    assert not write_new(tmp_path / "a/b.txt", "y")
    assert (tmp_path / "a/b.txt").read_text() == "x"
    with pytest.raises(ConfigurationError):
        write_new(tmp_path / "a/b.txt/c", "x")


def test_half_a_file_is_not_kept(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_new(tmp_path / "a.txt", "whole\n\udcff")
    assert list(tmp_path.iterdir()) == []
