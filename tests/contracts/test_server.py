"""The Compose server: one way in, limits for all, the same services and the same patience as on a laptop."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from airfoil.provider import executors
from airfoil.runtime import logins
from airfoil.settings import load
from airfoil.stack import airflow_environment, secrets, services
from airfoil.stack.deploy import (
    compose,
    env_file,
    git_ignore,
    mounted_files,
    neighbours,
    override,
    passwords,
)
from airfoil.stack.project import Project

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "compose"
TEXT = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(TEXT)["services"]
EXAMPLE = env_file.values((FOLDER / "env.example").read_text(encoding="utf-8"))
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)")
JOBS = {"postgres-init", "s3-init", "airflow-init", "restore"}
# An image without a shell or a client: Prometheus sees whether it answers.
WITHOUT_LOOK = {"redis-exporter"}
ANYWHERE = {"", "0.0.0.0"}  # noqa: S104 - as Compose's file says it
# Budgets of memory that were promised, in MiB.
BUDGETS = {
    "postgres": 512,
    "airflow-api-server": 1024,
    "airflow-scheduler": 1024,
    "airflow-worker": 1024,
    "airflow-triggerer": 512,
    "mlflow": 512,
}
# The table of the local runner -> its counterparts here.
COUNTERPARTS = {
    "setup": "airflow-init",
    "api-server": "airflow-api-server",
    "scheduler": "airflow-scheduler",
    "dag-processor": "airflow-dag-processor",
    "triggerer": "airflow-triggerer",
    "mlflow": "mlflow",
    "page": "status",
    "feature-server": "feature-server",
}
# Read by `airfoil deploy compose`, which makes of them what Compose reads.
READ_BY_US = {
    "AIRFOIL_PARTS",
    "AIRFOIL_SUBDOMAINS",
    "POSTGRES_URL",
    "REDIS_URL",
    "S3_URL",
    "MLFLOW_URL",
    "JOIN_NETWORK",
    "EDGE_SIGNING_KEY",
    "DAGS_GIT_URL",
    "DAGS_GIT_BRANCH",
    "DAGS_GIT_FOLDER",
    "DAGS_GIT_SECONDS",
    "DAGS_GIT_USER",
    "DAGS_GIT_TOKEN",
}

# Given by one of our commands for one run; a line of .env would make it true for ever.
GIVEN_BY_COMMANDS = {"AIRFOIL_RESTORING"}


def test_only_the_proxy_publishes_ports():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert not [name for name, service in SERVICES.items() if "network_mode" in service]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_limits_and_cannot_fill_the_disk_with_its_log(name):
    service = SERVICES[name]
    assert service["mem_limit"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["networks"] == ["private"]
    assert "no-new-privileges:true" in service["security_opt"]
    if name in JOBS:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["cpus"]
        assert ("healthcheck" in service) == (name not in WITHOUT_LOOK)


@pytest.mark.parametrize(("name", "mebibytes"), BUDGETS.items())
def test_a_service_gets_the_memory_that_was_promised(name, mebibytes):
    limit = re.sub(r"^\$\{\w+:-(\w+)\}$", r"\1", SERVICES[name]["mem_limit"])
    assert {"m": 1, "g": 1024}[limit[-1]] * int(limit[:-1]) == mebibytes


def test_every_variable_is_documented_and_every_documented_one_is_used():
    read = set(VARIABLE.findall(TEXT))
    assert read - set(EXAMPLE) == GIVEN_BY_COMMANDS
    assert set(EXAMPLE) - read - READ_BY_US - {"COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"} == set()


def test_every_variable_has_its_comment():
    lines = (FOLDER / "env.example").read_text(encoding="utf-8").splitlines()
    explained = [line for line in lines if line.startswith("# ") and not line.startswith("# ----")]
    assert len(explained) > 25
    assert [line for line in lines if len(line) > 120] == []


def test_a_folder_of_ours_is_known_by_its_example():
    assert compose.MARK in (FOLDER / "env.example").read_text(encoding="utf-8")


def test_secrets_are_empty_in_the_example_and_asked_for_in_the_file():
    assert [name for name in passwords.GENERATORS if EXAMPLE[name]] == []
    for name in set(passwords.GENERATORS) & set(VARIABLE.findall(TEXT)):
        uses = re.findall(rf"(?<!\$)\$\{{{name}([^}}]*)\}}", TEXT)
        assert [use for use in uses if not use.startswith(":?")] == [], name


def test_no_secret_stands_in_an_argument():
    secret = {*passwords.GENERATORS, "CELERY_BROKER_URL", "FEAST_REDIS"}
    for name, service in SERVICES.items():
        words = " ".join(map(str, [*service.get("command", []), *service.get("entrypoint", [])]))
        assert set(VARIABLE.findall(words)) & secret == set(), name


def test_every_profile_is_a_part_or_a_neighbour():
    found = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    # The last one is a job that a command starts.
    assert found == {"postgres", "redis", "s3", "mlflow", *neighbours.PARTS, "restore"}


def test_containers_that_join_another_network_ask_for_ours_by_names_that_nobody_else_has():
    for name in override.JOINING:
        service = SERVICES[name]
        environment = dict(service.get("environment", {}))
        environment.pop("MLFLOW_SERVER_ALLOWED_HOSTS", None)  # by what names it is called, not whom it calls
        words = json.dumps([environment, service.get("command"), service.get("healthcheck")])
        assert re.findall(rf"\b(?:{'|'.join(SERVICES)}):\d{{4}}", words) == [], name
        hosts = {value for key, value in environment.items() if key.endswith("HOST")}
        assert hosts & set(SERVICES) == set(), name


WITHOUT_A_LOGIN = {"flower": 5555, "feature-server": 6566, "postgres-exporter": 9187, "redis-exporter": 9121}


@pytest.mark.parametrize(("name", "port"), WITHOUT_A_LOGIN.items())
def test_who_asks_for_no_login_is_reached_by_the_private_network_alone(name, port):
    """Flower tells the tokens of tasks, a feature server writes, an exporter sends its password to whom it is told."""
    service = SERVICES[name]
    words = [*service.get("command", ()), *service["environment"].values()]
    look = " ".join(service.get("healthcheck", {}).get("test", ()))
    own = f"{name}.shop-private"
    for domain, listens, asked in ((".shop-private", {own}, own), ("", ANYWHERE, "127.0.0.1")):
        said = [with_domain(str(one), domain) for one in words]
        port_at = [one.partition(f":{port}")[0].rpartition("=")[2] for one in said if f":{port}" in one]
        host_at = [one.partition("=")[2] for one in said if one.startswith(("--host=", "--address="))]
        assert {*port_at, *host_at} <= listens, said
        assert len(port_at + host_at) == 1, said
        assert name in WITHOUT_LOOK or f"http://{asked}:{port}/" in with_domain(look, domain)


def test_nobody_joins_of_whom_it_is_not_known_how_he_is_asked():
    """Another one that is to join either has a login of its own, or stands in the test above."""
    jobs_and_logins = {*override.AIRFLOW_SERVICES, "postgres-init", "s3-init", "mlflow"}
    assert set(override.JOINING) == jobs_and_logins | set(WITHOUT_A_LOGIN)


def with_domain(text, domain):
    """What Compose makes of a text, PRIVATE_DOMAIN being this."""
    form = re.compile(r"\$\{PRIVATE_DOMAIN:([+-])([^}]*)\}")
    chosen = {True: {"+": lambda word: word, "-": lambda _: domain}, False: {"+": lambda _: "", "-": str}}
    return form.sub(lambda one: chosen[bool(domain)][one[1]](one[2]), text)


def test_the_status_page_is_told_of_every_service_that_runs():
    found: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        if name not in JOBS:
            found.setdefault((service.get("profiles") or [""])[0], set()).add(name)
    assert {profile: set(names) for profile, names in neighbours.SERVICES.items()} == found


def test_nothing_needs_a_service_that_can_be_left_out():
    for name, service in SERVICES.items():
        for other, terms in service.get("depends_on", {}).items():
            required = terms.get("required", True)
            assert not (required and SERVICES[other].get("profiles")), f"{name} needs {other}"


def test_workers_have_no_key_to_databases_connections_or_tokens():
    worker, scheduler = (SERVICES[name]["environment"] for name in ("airflow-worker", "airflow-scheduler"))
    only = set(scheduler) - set(worker)
    assert {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__API_AUTH__JWT_SECRET",
    } <= only
    assert "AIRFLOW_DATABASE_PASSWORD" not in " ".join(map(str, worker.values()))


@pytest.mark.parametrize("edge", neighbours.EXECUTORS.values())
def test_executors_are_known_by_the_names_that_tasks_ask_for_them_by(edge):
    """Airflow gives a new id to each message of a task only where it names an executor by alias or path.

    A task that says `CeleryExecutor`, which is neither without an alias, would be sent under its first id for ever: its
    second message is over before it begins, by the result of the first.
    """
    line = yaml.safe_load(TEXT)["x-airflow-environment"]["AIRFLOW__CORE__EXECUTOR"]
    found = executors.parse_executors(line.replace("${EDGE_EXECUTOR:-}", edge))
    names = ["CeleryExecutor", "EdgeExecutor"][: len(found)]
    assert [one.alias for one in found] == [one.class_name for one in found] == names
    assert [executors.find_executor(found, name) for name in names] == list(found)


def test_the_key_that_signs_logins_is_in_the_api_server_alone():
    having = {name for name, service in SERVICES.items() if "${SESSION_KEY" in json.dumps(service)}
    assert having == {"airflow-api-server"}
    assert logins.SESSION_KEY in SERVICES["airflow-api-server"]["environment"]
    assert logins.SESSION_KEY not in SERVICES["airflow-worker"]["environment"]


def test_keys_are_in_no_folder_that_workers_have():
    environment = SERVICES["maintenance"]["environment"]
    home = environment["AIRFLOW__AIRFOIL__PROJECT"]
    mounted = [one.rpartition(":/")[2].partition(":")[0] for one in SERVICES["maintenance"]["volumes"]]
    assert "opt/airflow/work" in mounted
    assert not [one for one in mounted if home.startswith(f"/{one}")], "there the server's keys are written"


def test_backups_are_where_they_are_taken_and_nowhere_that_tasks_run():
    having = {
        name
        for name, service in SERVICES.items()
        for one in service.get("volumes", ())
        if str(one).startswith("backups:") and not str(one).endswith(":ro")
    }
    assert having == {"postgres-init", "maintenance", "restore"}


def test_who_mounts_the_volume_of_backups_waits_for_who_makes_folders_in_it():
    """Docker makes no place for another disk in a volume that it mounts to be read only."""
    mounting = {
        name for name, one in SERVICES.items() if "backups:/backups" in json.dumps(one.get("volumes", []))
    }
    assert "status" in mounting
    for name in mounting - {"postgres-init"}:
        before = set(SERVICES[name]["depends_on"])
        assert before & {"postgres-init", "airflow-init"}, f"{name} may come first"
    assert "postgres-init" in SERVICES["airflow-init"]["depends_on"]


def test_keys_of_the_place_of_backups_are_in_no_container_that_tasks_run_in():
    having = {name for name, one in SERVICES.items() if "${BACKUP_S3_" in json.dumps(one)}
    assert having == {"maintenance"}
    read = {name for name in EXAMPLE if name.startswith("BACKUP_S3_")}
    assert read == {name for name in SERVICES["maintenance"]["environment"] if name.startswith("BACKUP_S3_")}


def test_the_folder_that_backups_go_to_is_made_for_who_takes_them():
    place = SERVICES["maintenance"]["environment"]["AIRFOIL_BACKUP_PLACE"]
    assert SERVICES["postgres-init"]["environment"]["BACKUP_PLACE"] == place


def test_what_tidies_up_sees_the_logs_that_other_hosts_have_sent():
    place = "task-logs:/opt/airflow/logs"
    for name in ("airflow-api-server", "maintenance"):
        assert place in SERVICES[name]["volumes"], name


def test_the_services_of_a_laptop_are_all_there(tmp_path):
    (tmp_path / "airfoil.toml").write_text("[feast]\nserver = true\n", encoding="utf-8")
    project = Project(tmp_path)
    project.prepare()
    ports = {"airflow": 8080, "mlflow": 5000, "page": 8081, "feast": 6566}
    table = services.specification(load(tmp_path, {}), project, secrets.ensure(project), ports)
    names = {row.name for row in table.services} - {"preload"}
    assert names == set(COUNTERPARTS)
    assert set(COUNTERPARTS.values()) <= set(SERVICES)


def test_tasks_are_as_patient_as_on_a_laptop():
    found = SERVICES["airflow-worker"]["environment"]
    for option in airflow_environment.patience():
        assert found[option.variable] == option.value


def test_what_is_built_is_built_for_every_project():
    assert {name for name, service in SERVICES.items() if "build" in service} == set(override.BUILT)
    for name, stage in override.BUILT.items():
        assert SERVICES[name]["build"]["target"] == stage
    of_airflow = {name for name in SERVICES if name.startswith("airflow-")}
    assert of_airflow | {"maintenance", "restore"} == set(override.AIRFLOW_SERVICES)


def test_no_registry_is_asked_for_an_image_of_ours():
    """On Docker Hub anybody may have put something under such a name, and it would run with all secrets."""
    ours = {name: service for name, service in SERVICES.items() if ":-airfoil/" in service["image"]}
    assert {
        name: service["image"].split(":-airfoil/")[1].split(":")[0] for name, service in ours.items()
    } == dict(override.IMAGES)
    assert {name: service.get("pull_policy") for name, service in ours.items()} == dict.fromkeys(
        ours, "never"
    )


def single_files(service):
    """The files of ours that a service mounts by themselves."""
    sources = [str(mount).partition(":")[0] for mount in service.get("volumes", ())]
    paths = [(FOLDER / source).resolve() for source in sources if source.startswith(("./", "../"))]
    return {path.relative_to(ROOT / "deploy") for path in paths if path.suffix or path.is_file()}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - JOBS))
def test_a_file_that_is_mounted_by_itself_replaces_its_container_when_it_changes(name):
    places = [Path(place) for place in mounted_files.SHIPPED.get(name, ())]
    words = SERVICES[name].get("entrypoint", []) + SERVICES[name].get("command", [])
    scripts = {Path("monitoring", word.rpartition("/")[2]) for word in words if word.endswith(".sh")}
    if name not in {"prometheus", "alertmanager"}:  # these two mount the folder, and run a script in it
        scripts = set()
    for file in single_files(SERVICES[name]) | scripts:
        assert any(file == place or place in file.parents for place in places), f"{name} keeps an old {file}"
    assert [place for place in places if not (ROOT / "deploy" / place).exists()] == []


def test_what_prometheus_reads_at_its_start_alone_is_known():
    text = (ROOT / "deploy" / "monitoring" / "prometheus.yml").read_text(encoding="utf-8")
    for pattern in yaml.safe_load(text)["rule_files"]:
        assert f"monitoring/{Path(pattern).parent}" in mounted_files.SHIPPED["prometheus"]


def test_files_of_one_server_replace_the_containers_that_mount_them(tmp_path):
    (tmp_path / "airfoil.toml").write_text('[project]\nname = "shop"\n', encoding="utf-8")
    given = {name: env_file.spoken(value) for name, value in EXAMPLE.items()}
    build = override.Build("../..", "deploy/compose", "")
    text = override.override(load(tmp_path, {}), Project(tmp_path), build, given)
    found = yaml.safe_load(text)["services"]
    readers = {
        name for name, one in found.items() if any(override.FEATURES in v for v in one.get("volumes", ()))
    }
    assert readers - JOBS == set(mounted_files.FEATURE_READERS)
    authority = {name for name, one in SERVICES.items() if "LOGIN_CA_FILE:-/dev" in str(one.get("volumes"))}
    assert authority == {mounted_files.AUTHORITY_READER}


def test_what_is_written_for_a_project_stays_out_of_git():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    names = {
        *(line.lstrip("/") for line in git_ignore.LINES),
        override.FEATURES,
        compose.CONSTRAINTS,
        "wheels/",
    }
    assert {f"/deploy/compose/{name}" for name in names} - set(ignored) == set()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.sh")), ids=lambda path: path.name)
def test_a_script_is_one_that_every_shell_understands(path):
    import subprocess

    text = path.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n# ")
    assert "set -eu" in text
    said = subprocess.run(["sh", "-n", path], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
