"""Loading settings: order of sources, paths, and one clear sentence for every kind of garbage."""

import errno
import os
from pathlib import Path

import pytest

from airfoil.errors import SettingsError
from airfoil.settings import Settings, load

pytestmark = pytest.mark.unit


PORT = "port must be a whole number from 1 to 65535, not"
SECONDS = "start_seconds must be a number of seconds above 0 and up to 86400, not"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "mein Projekt äöü 项目"
    folder.mkdir()
    return folder


def written(root: Path, text: str | bytes, environ: dict[str, str] | None = None) -> Settings:
    (root / "airfoil.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(root, environ or {})


def refused(root: Path, text: str | bytes, environ: dict[str, str] | None = None) -> tuple[str, str]:
    """Return what the error says, without the folder."""
    with pytest.raises(SettingsError) as caught:
        written(root, text, environ)
    assert caught.value.next_move
    assert caught.value.__suppress_context__ or isinstance(caught.value.__cause__, OSError | None)
    return str(caught.value).replace(f"{root}/", ""), caught.value.next_move


def test_an_empty_file_gives_the_defaults(root):
    settings = written(root, "")
    assert (settings.airflow.host, settings.airflow.port) == ("127.0.0.1", 8080)
    assert (settings.mlflow.port, settings.page.port) == (5000, 8081)
    assert settings.mlflow.auth is False
    assert settings.stack.engine == "auto"
    assert settings.budgets.memory_mib == 1200
    assert settings.project.name == root.name
    assert settings.given == frozenset()


def test_budgets_of_services_are_peaks_that_nearly_fit_the_budget_of_all(root):
    """They share pages: what counts for the parent at rest counts for the scheduler while it has workers."""
    budgets = written(root, "").budgets
    parts = [mib for name, mib in budgets.services.items() if name not in {"setup", "feature-server"}]
    assert max(parts) <= budgets.memory_mib / 3
    assert sum(parts) <= budgets.memory_mib * 1.15


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(root):
    settings = written(
        root,
        "[airflow]\nport = 8090\nparallelism = 8\n[mlflow]\nauth = true\n",
        {"AIRFOIL_AIRFLOW_PORT": " 8099 ", "AIRFOIL_MLFLOW_AUTH": "off", "AIRFOIL_STACK_PRELOAD": "a, b.c,"},
    )
    assert settings.airflow.port == 8099
    assert settings.airflow.parallelism == 8
    assert settings.mlflow.auth is False
    assert settings.stack.preload == ("a", "b.c")


def test_user_set_knows_values_that_equal_their_default(root):
    settings = written(root, "[airflow]\nport = 8080\n", {"AIRFOIL_MLFLOW_PORT": "5000"})
    assert settings.user_set("airflow.port")
    assert settings.user_set("mlflow.port")
    assert not settings.user_set("page.port")
    assert not settings.user_set("project.name")


def test_an_empty_variable_sets_nothing(root):
    settings = written(
        root, "[airflow]\nport = 8090\n", {"AIRFOIL_AIRFLOW_PORT": "", "AIRFOIL_MLFLOW_PORT": "  "}
    )
    assert settings.airflow.port == 8090
    assert not settings.user_set("mlflow.port")


def test_relative_paths_start_at_the_project(root):
    settings = written(
        root,
        "[airflow]\ndags = 'flüsse'\ndatabase = 'sqlite:///daten/a b.db?timeout=30'\n"
        "[mlflow]\nartifacts = 'ablage'\ndatabase = 'sqlite:////srv/m.db'\n",
    )
    assert settings.airflow.dags == root / "flüsse"
    assert settings.airflow.plugins == root / "plugins"
    assert settings.feast.repo == root / "features"
    assert settings.airflow.database == f"sqlite:///{root}/daten/a b.db?timeout=30"
    assert settings.mlflow.database == "sqlite:////srv/m.db"
    assert settings.mlflow.artifacts == str(root / "ablage")


def test_absolute_paths_home_and_addresses_stay(root, monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    settings = written(
        root,
        "[airflow]\ndags = '~/dags'\nplugins = '/opt/plugins'\n[mlflow]\nartifacts = 's3://bucket/some where'\n",
    )
    assert settings.airflow.dags == Path("/home/anna/dags")
    assert settings.airflow.plugins == Path("/opt/plugins")
    assert settings.mlflow.artifacts == "s3://bucket/some where"
    assert (
        written(root, "[airflow]\ndags = '~nobody-of-this-name/x'\n").airflow.dags
        == root / "~nobody-of-this-name/x"
    )


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("[airflow]\n\n# the port\nport = 70000\n", 4, f"airflow.{PORT} 70000"),
        ("[airflow]\nport = 0\n", 2, f"airflow.{PORT} 0"),
        ('[airflow]\nport = "8080"\n', 2, f'airflow.{PORT} "8080"'),
        ("airflow.port = true\n", 1, f"airflow.{PORT} true"),
        ("[airflow]\nport = 8080.0\n", 2, f"airflow.{PORT} 8080.0"),
        ("[airflow]\nport = " + "9" * 4000, 2, f"airflow.{PORT} {'9' * 60}..."),
        ("[mlflow]\nauth = 1\n", 2, "mlflow.auth must be true or false, not 1"),
        ('[stack]\nengine = "fast"\n', 2, 'stack.engine must be "auto", "preloaded" or "plain", not "fast"'),
        (
            "[airflow]\nparallelism = 65\n",
            2,
            "airflow.parallelism must be a whole number from 1 to 64, not 65",
        ),
        ("[budgets]\nstart_seconds = nan\n", 2, f"budgets.{SECONDS} nan"),
        ("airflow = 3\n", 1, "airflow must be one section with keys below it, not 3"),
        ("[[airflow]]\nport = 1\n", 1, "airflow must be one section with keys below it, not [a table]"),
        (
            "[project]\nname = '''\nport = 3\n'''\n[page]\nport = -1\n",
            2,
            'project.name must be a name of 1 to 100 characters on one line, not "port = 3?"',
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_is_expected(root, text, line, sentence):
    assert refused(root, text)[0] == f"airfoil.toml:{line}: {sentence}."


def test_further_wrong_values_are_details_with_lines_of_their_own(root):
    with pytest.raises(SettingsError) as caught:
        written(root, "[airflow]\nport = 0\n[page]\nport = 0\n")
    assert len(caught.value.details) == 1
    assert caught.value.details[0].endswith(
        "airfoil.toml:4: page.port must be a whole number from 1 to 65535, not 0."
    )


@pytest.mark.parametrize(
    ("text", "sentence", "move"),
    [
        (
            "[airflow]\nprot = 1\n",
            "airfoil.toml:2: there is no setting airflow.prot.",
            "Did you mean airflow.port?",
        ),
        (
            "[airflow]\nauth = true\n",
            "airfoil.toml:2: there is no setting airflow.auth.",
            "Did you mean mlflow.auth?",
        ),
        ("[mlfow]\nport = 1\n", "airfoil.toml:1: there is no section [mlfow].", "Did you mean [mlflow]?"),
        (
            "\nport = 1\n",
            "airfoil.toml:2: there is no setting port.",
            "Did you mean airflow.port or mlflow.port",
        ),
        (
            "[stack]\nxyz = 1\n",
            "airfoil.toml:2: there is no setting stack.xyz.",
            "Keys of [stack]: engine, preload",
        ),
        (
            '[airflow]\n"p\\u0000rt" = 1\n',
            "airfoil.toml: there is no setting airflow.p?rt.",
            "Did you mean airflow.port?",
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_line_and_the_nearest(root, text, sentence, move):
    said = refused(root, text)
    assert said[0] == sentence
    assert said[1].startswith(move)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[airflow]\nport =\n", "airfoil.toml:2 is not valid TOML: invalid value."),
        ("a = 1\na = 2\n", "airfoil.toml:2 is not valid TOML: this key is set already."),
        ("[page]\n[airflow]\n[page]\n", "airfoil.toml:3 is not valid TOML: this section is there already."),
        ("[airflow\n", "airfoil.toml:1 is not valid TOML: expected ']' at the end of a table declaration."),
        ("[airflow]\nhost = '''\n\n", "airfoil.toml:3 is not valid TOML: expected \"'''\"."),
        ("[airflow]\nport = " + "9" * 5000, "airfoil.toml:2 is not valid TOML: a number has too many digits."),
        (b"[airflow]\nhost = '\xff\xfe'\n", "airfoil.toml:2 is not UTF-8 text."),
        (b"\x7fELF\x02\x01\x01\x00\x90", "airfoil.toml:1 is not UTF-8 text."),
        (b"\x00" * 64, "airfoil.toml:1 is not valid TOML: invalid statement."),
        ("x = " + "[" * 100_000, "airfoil.toml is nested too deeply."),
        (b"#" * 1_000_001, "airfoil.toml is larger than 1000 kB, so it is no settings file."),
    ],
)  # fmt: skip
def test_a_file_that_is_no_toml_is_named_with_its_line(root, text, sentence):
    assert refused(root, text)[0] == sentence


def test_tabs_carriage_returns_and_a_byte_order_mark_are_fine(root):
    settings = written(root, b"\xef\xbb\xbf[airflow]\r\n\tport\t=\t8090\r\n")
    assert settings.airflow.port == 8090


def test_dotted_keys_inline_tables_and_hexadecimal_numbers_are_fine(root):
    settings = written(root, "airflow.port = 0x1F9A\nmlflow = {port = 5_001, auth = true}\n")
    assert (settings.airflow.port, settings.mlflow.port, settings.mlflow.auth) == (8090, 5001, True)


def test_a_missing_file_says_how_to_make_a_project(root):
    with pytest.raises(SettingsError, match=r"There is no .*airfoil\.toml\.") as caught:
        load(root, {})
    assert "airfoil init" in caught.value.next_move


def test_a_folder_in_place_of_the_file(root):
    (root / "airfoil.toml").mkdir()
    with pytest.raises(SettingsError, match=r"airfoil\.toml is a folder, not a file\."):
        load(root, {})


@pytest.mark.parametrize(
    ("code", "sentence", "move"),
    [
        (errno.EACCES, "You may not read airfoil.toml.", "chmod u+r"),
        (errno.EIO, "airfoil.toml cannot be read: Input/output error.", "Check the disk"),
    ],
)
def test_an_unreadable_file(root, monkeypatch, code, sentence, move):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    (root / "airfoil.toml").touch()
    monkeypatch.setattr(Path, "open", refuse)  # chmod does not stop root, and tests may run as root
    with pytest.raises(SettingsError) as caught:
        load(root, {})
    assert str(caught.value).replace(f"{root}/", "") == sentence
    assert move in caught.value.next_move


def test_a_loop_of_links_in_place_of_the_file(root):
    (root / "airfoil.toml").symlink_to(root / "airfoil.toml")
    with pytest.raises(SettingsError, match=r"cannot be read: "):
        load(root, {})


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("AIRFOIL_MLFLOW_PORT", "x", f'mlflow.{PORT} "x"'),
        ("AIRFOIL_MLFLOW_PORT", "9" * 5000, f'mlflow.{PORT} "{"9" * 60}..."'),
        ("AIRFOIL_MLFLOW_PORT", "80\x1b[31m", f'mlflow.{PORT} "80?[31m"'),
        ("AIRFOIL_MLFLOW_AUTH", "maybe", 'mlflow.auth must be true or false, not "maybe"'),
        ("AIRFOIL_BUDGETS_START_SECONDS", "inf", f"budgets.{SECONDS} inf"),
    ],
    ids=["word", "huge", "escape", "flag", "infinity"],
)
def test_a_wrong_variable_is_named(root, name, text, sentence):
    assert refused(root, "", {name: text})[0] == f"{name}: {sentence}."


def test_one_port_for_two_services_is_refused_when_the_user_set_both(root):
    said = refused(root, "[airflow]\nport = 5001\n[mlflow]\nport = 5001\n")
    assert said[0] == "airfoil.toml:4: mlflow.port is 5001, and so is airflow.port."
    assert written(root, "[airflow]\nport = 5000\n").mlflow.port == 5000  # a default moves when it starts


@pytest.mark.parametrize("scheme", ["mysql", "postgres", "postgresql+psycopg2+x"])
def test_no_error_or_repr_shows_a_password(root, scheme):
    sentence, move = refused(root, f"[airflow]\ndatabase = '{scheme}://anna:ge/h@eim@db/x'\n")
    assert "eim" not in sentence + move
    assert "anna:***@db" in sentence
    settings = written(root, "[airflow]\ndatabase = 'postgresql://anna:geheim@db/x'\n")
    assert "geheim" not in repr(settings) + str(settings) + repr(settings.airflow) + str(settings.airflow)
    assert settings.airflow.database == "postgresql://anna:geheim@db/x"


def test_the_digest_changes_with_a_value_and_only_then(root):
    first = written(root, "[mlflow]\nport = 5001\n").digest()
    assert written(root, "# the same\n[mlflow]\nport = 5001\n").digest() == first
    assert written(root, "", {"AIRFOIL_MLFLOW_PORT": "5001"}).digest() == first
    assert written(root, "[mlflow]\nport = 5002\n").digest() != first


def test_settings_cannot_be_changed(root):
    settings = written(root, "")
    with pytest.raises(ValueError, match="frozen"):
        settings.airflow.port = 1
