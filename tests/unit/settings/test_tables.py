"""Tables below names that the user chooses: profiles, pools, Airflow's own sections."""

from pathlib import Path

import pytest

from airfoil.errors import SettingsError
from airfoil.settings import PoolSettings, Settings, load
from airfoil.settings.source import TomlFile
from airfoil.settings.tables import split_off

pytestmark = pytest.mark.unit


def written(root: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    (root / "airfoil.toml").write_text(text, encoding="utf-8")
    return load(root, environ or {})


def refused(root: Path, text: str) -> tuple[str, str]:
    with pytest.raises(SettingsError) as caught:
        written(root, text)
    return str(caught.value).replace(f"{root}/", ""), caught.value.next_move


def test_a_profile_holds_what_is_given_and_nothing_else(tmp_path):
    text = (
        "[profiles.training]\nexecutor = 'k8s'\ngpu = 1\ncpu = '500m'\nmemory = '4Gi'\ntimeout_seconds = 3600\n"
        "retries = 0\n[profiles.training.pod.spec.nodeSelector]\ndisk = 'ssd'\n[profiles.3-light_]\n"
    )
    settings = written(tmp_path, text)
    assert list(settings.profiles) == ["training", "3-light_"]
    assert settings.profiles["training"].model_dump(exclude_none=True) == {
        "executor": "k8s",
        "gpu": 1,
        "cpu": "500m",
        "memory": "4Gi",
        "timeout_seconds": 3600.0,
        "retries": 0,
        "pod": {"spec": {"nodeSelector": {"disk": "ssd"}}},
    }
    assert settings.profiles["3-light_"].model_dump(exclude_none=True) == {}
    assert settings.user_set("profiles.training.gpu")
    assert not settings.user_set("profiles.training.queue")


def test_a_pool_is_a_number_or_a_table(tmp_path):
    settings = written(tmp_path, '[pools]\ngpu = 2\n"my api" = {slots = -1, include_deferred = true}\n')
    assert settings.pools == {
        "gpu": PoolSettings(slots=2),
        "my api": PoolSettings(slots=-1, include_deferred=True),
    }
    assert settings.user_set("pools.gpu")


def test_airflows_sections_stand_beside_our_own_keys(tmp_path):
    settings = written(
        tmp_path, "[airflow]\nport = 8090\n[airflow.core]\nmax_active_runs_per_dag = 4\n[airflow.celery]\n"
    )
    assert settings.airflow.port == 8090
    assert settings.airflow_options == {"core": {"max_active_runs_per_dag": "4"}}
    assert settings.user_set("airflow.core.max_active_runs_per_dag")


def test_airflows_section_database_can_hold_our_address(tmp_path):
    settings = written(tmp_path, "[airflow.database]\nurl = 'sqlite:///a.db'\nsql_alchemy_pool_size = 9\n")
    assert settings.airflow.database == f"sqlite:///{tmp_path}/a.db"
    assert settings.airflow_options == {"database": {"sql_alchemy_pool_size": "9"}}
    both = "[airflow.database]\nurl = 'sqlite:///a.db'\n"
    assert written(tmp_path, both, {"AIRFOIL_AIRFLOW_DATABASE": "postgresql://h/n"}).airflow.database == (
        "postgresql://h/n"
    )
    assert refused(tmp_path, "[airflow.database]\nurl = 'mysql://h/n'\n")[0].startswith(
        "airfoil.toml:1: airflow.database must be"
    )


def test_without_any_of_them_there_are_none(tmp_path):
    settings = written(tmp_path, "")
    assert (settings.profiles, settings.pools, settings.airflow_options) == ({}, {}, {})
    assert settings.given == frozenset()


def test_the_digest_changes_with_a_profile_a_pool_and_an_option(tmp_path):
    texts = ["", "[profiles.a]\ngpu = 1\n", "[pools]\na = 1\n", "[airflow.core]\na = 1\n"]
    assert len({written(tmp_path, text).digest() for text in texts}) == len(texts)


A = "[profiles.a]\n"
WHOLE = "must be a whole number from 0 to 64, not"
SLOTS = "slots must be a whole number, -1 for no limit, not"
AMOUNT = 'must be an amount such as "512Mi" or "4Gi", not'
CPUS = 'must be a number of processors above 0, or thousandths such as "500m", not'
MANIFEST = "must be a table with metadata and spec, as in a pod's manifest, not"
LETTERS = 'must be a name of letters, digits, "-" and "_", not'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{A}gpu = 'one'\n", f'2: profiles.a.gpu {WHOLE} "one"'),
        (f"{A}gpu = true\n", f"2: profiles.a.gpu {WHOLE} true"),
        (f"{A}memory = '4GB'\n", f'2: profiles.a.memory {AMOUNT} "4GB"'),
        (f"{A}cpu = 0\n", f"2: profiles.a.cpu {CPUS} 0"),
        (f"{A}cpu = true\n", f"2: profiles.a.cpu {CPUS.replace(' above 0', '')} true"),
        (
            f"{A}timeout_seconds = inf\n",
            "2: profiles.a.timeout_seconds must be a number of seconds up to a year, not inf",
        ),
        (f"{A}pod = {{spce = {{}}}}\n", f"2: profiles.a.pod {MANIFEST} a table"),
        (f"{A}environment = '../x'\n", f'2: profiles.a.environment {LETTERS} "../x"'),
        (
            f"{A}queue = ''\n",
            '2: profiles.a.queue must be a name of 1 to 100 characters on one line, not ""',
        ),
        (
            "[profiles]\na = 3\n",
            "2: profiles.a must be a table: write [profiles.a] and its keys below, not 3",
        ),
        ("[profiles.'a b']\n", f'1: A profile\'s name {LETTERS} "a b"'),
        ("profiles = 3\n", "1: profiles must be one section with keys below it, not 3"),
        ("[[pools]]\na = 1\n", "1: pools must be one section with keys below it, not [a table]"),
        ("[pools]\na = -2\n", f"2: pools.a.{SLOTS} -2"),
        (
            "[pools]\na = true\n",
            "2: pools.a must be a whole number of slots, or a table with slots, not true",
        ),
        ("[pools.a]\ndescription = 'x'\n", "1: pools.a must be a table with slots, not a table"),
        ("[pools.a]\nslots = 1.5\n", f"2: pools.a.{SLOTS} 1.5"),
        ("[pools]\n'' = 1\n", '2: A pool\'s name must be 1 to 256 characters on one line, not ""'),
        ("[airflow.port]\nx = 1\n", "1: airflow.port must be a whole number from 1 to 65535, not a table"),
        ("[[airflow.core]]\nx = 1\n", "1: there is no setting airflow.core"),
    ],
)
def test_garbage_is_named_with_its_line(tmp_path, text, sentence):
    said = refused(tmp_path, text)
    assert said[0] == f"airfoil.toml:{sentence}."
    assert said[1]


def test_a_mistyped_key_or_section_is_told_its_nearest(tmp_path):
    said = refused(tmp_path, "[profiles.a]\n\ntimeout = 3\n")
    assert said[0] == "airfoil.toml:3: there is no setting profiles.a.timeout."
    assert said[1].startswith("Did you mean timeout_seconds? Keys of [profiles.a]: executor, queue")
    assert refused(tmp_path, "[profile.a]\n")[1].startswith("Did you mean [profiles]?")
    assert refused(tmp_path, "[pools.a]\nslots = 1\nslot = 2\n")[1].startswith("Did you mean slots?")


def test_the_file_without_them_keeps_its_text_for_line_numbers():
    toml = TomlFile(Path("airfoil.toml"), "text", {"pools": {"a": 1}, "page": {"port": 1}})
    found, rest = split_off(toml)
    assert found.given == {"pools.a"}
    assert (rest.tables, rest.text) == ({"page": {"port": 1}}, "text")
