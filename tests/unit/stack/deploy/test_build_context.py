"""What a build sees of a project: folders by their own names, none with the server's secrets in it."""

from __future__ import annotations

import pytest

from airfoil.errors import ConfigurationError
from airfoil.settings import load
from airfoil.stack.deploy import build_context

pytestmark = pytest.mark.unit

SHIPPED = "# Why.\n*\n!dags\n!plugins\n!features\n!src\n!deploy/compose/images\n**/.env\n"


def found(root, toml="", inside="deploy/compose"):
    (root / "airfoil.toml").write_text(f'[project]\nname = "shop"\n{toml}', encoding="utf-8")
    return build_context.folders(load(root, {}), root, root / inside)


def test_usual_names_need_no_argument(tmp_path):
    folders = found(tmp_path)
    assert folders == {"DAGS_FOLDER": "dags", "PLUGINS_FOLDER": "plugins", "FEATURES_FOLDER": "features"}
    assert build_context.arguments(folders) == {}
    assert build_context.ignore_file(SHIPPED, "deploy/compose", "deploy/compose", folders) == SHIPPED


def test_other_names_are_arguments_and_in_the_list(tmp_path):
    folders = found(
        tmp_path,
        f'[airflow]\ndags = "{tmp_path}/ml/flows"\nplugins = "x/../plug"\n[feast]\nrepo = "st[o]re"\n',
    )
    assert build_context.arguments(folders) == {
        "DAGS_FOLDER": "ml/flows",
        "PLUGINS_FOLDER": "plug",
        "FEATURES_FOLDER": "st[o]re",
    }
    lines = build_context.ignore_file(SHIPPED, "deploy/compose", "server", folders).splitlines()
    assert lines[2:7] == ["!ml/flows", "!plug", r"!st\[o\]re", "!src", "!server/images"]
    assert lines[-1] == "**/.env", "what stays out is said last"


@pytest.mark.parametrize("folder", ["../flows", "/srv/flows", "server", "server/compose", "dags/.."])
def test_a_folder_outside_or_around_the_servers_secrets_gets_into_no_image(tmp_path, folder):
    folders = found(tmp_path, f'[airflow]\ndags = "{folder}"\n', inside="server/compose")
    assert build_context.arguments(folders) == {"DAGS_FOLDER": ""}
    lines = build_context.ignore_file(SHIPPED, "deploy/compose", "server/compose", folders).splitlines()
    assert lines[1:4] == ["*", "!plugins", "!features"]


@pytest.mark.parametrize(
    ("given", "folder", "is_refused"),
    [
        ({"EDGE_WORKERS": "true", "DAGS_GIT_URL": ""}, "/srv/flows", True),
        ({"EDGE_WORKERS": "true", "DAGS_GIT_URL": ""}, "flows", False),
        ({"EDGE_WORKERS": "false", "DAGS_GIT_URL": ""}, "/srv/flows", False),
        ({"EDGE_WORKERS": "true", "DAGS_GIT_URL": "https://x/y.git"}, "/srv/flows", False),
    ],
)
def test_workers_on_other_hosts_need_dag_files(tmp_path, given, folder, is_refused):
    folders = found(tmp_path, f'[airflow]\ndags = "{folder}"\n')
    settings = load(tmp_path, {})
    if is_refused:
        with pytest.raises(ConfigurationError, match="/srv/flows is in none"):
            build_context.check(settings, folders, given)
    else:
        build_context.check(settings, folders, given)
