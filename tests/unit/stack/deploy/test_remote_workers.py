"""The file for another host: it starts, it holds one token and one account, and nothing else of the server's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jwt
import pytest
import yaml

from airfoil.errors import ConfigurationError
from airfoil.stack.deploy import env_file, passwords, remote_workers, shipped
from airfoil.stack.deploy.remote_workers import Worker

pytestmark = pytest.mark.unit

FAR = Worker("far-1", ("edge", "gpu"), concurrency=2, days=30)
EXAMPLE = env_file.values((shipped.folder("compose") / "env.example").read_text(encoding="utf-8"))
GIVEN = {
    **{name: env_file.spoken(value) for name, value in EXAMPLE.items()},
    **{name: f"{make()}-{name}" for name, make in passwords.GENERATORS.items()},
    "EDGE_SIGNING_KEY": passwords.GENERATORS["EDGE_SIGNING_KEY"](),
    "AIRFOIL_URL": "https://ml.example.com",
    "AIRFOIL_MLFLOW_URL": "https://ml.example.com",
    "AIRFOIL_TAG": "1.2.3",
    "EDGE_EXECUTOR": ",EdgeExecutor:airfoil.runtime.edge_executor.EdgeExecutor",
}
NOW = 1_800_000_000.0


def written(worker=FAR, authority="", **changes):
    given = GIVEN | changes
    return remote_workers.compose_file(
        worker, remote_workers.token(worker, "n1", given, NOW), given, authority
    )


def service(text):
    return yaml.safe_load(text)["services"]["worker"]


def test_the_public_key_knows_the_token_and_no_other_key_does():
    (key,) = json.loads(remote_workers.public_keys(GIVEN))["keys"]
    signed = remote_workers.token(FAR, "n1", GIVEN, NOW)
    claims = jwt.decode(
        signed,
        jwt.PyJWK(key),
        algorithms=["EdDSA"],
        audience="airfoil-edge",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["sub"], claims["jti"], claims["iss"]) == ("far-1", "n1", "airfoil")
    assert claims["exp"] - claims["iat"] == 30 * 86400
    assert jwt.get_unverified_header(signed)["kid"] == key["kid"]
    other = json.loads(
        remote_workers.public_keys({"EDGE_SIGNING_KEY": passwords.GENERATORS["EDGE_SIGNING_KEY"]()})
    )
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(signed, jwt.PyJWK(other["keys"][0]), algorithms=["EdDSA"], audience="airfoil-edge")


def test_the_public_key_is_the_same_each_time_and_holds_no_secret():
    assert remote_workers.public_keys(GIVEN) == remote_workers.public_keys(GIVEN)
    (key,) = json.loads(remote_workers.public_keys(GIVEN))["keys"]
    assert set(key) == {"kty", "crv", "alg", "use", "kid", "x"}


def test_a_key_that_is_none_is_told():
    with pytest.raises(ConfigurationError, match="EDGE_SIGNING_KEY"):
        remote_workers.public_keys({"EDGE_SIGNING_KEY": "short"})


def test_the_file_holds_one_token_one_account_and_no_other_secret():
    text = written()
    allowed = {"MLFLOW_EDGE_PASSWORD"}
    assert [name for name in passwords.GENERATORS if GIVEN[name] in text] == sorted(allowed)
    environment = service(text)["environment"]
    assert environment["MLFLOW_TRACKING_USERNAME"] == "edge"
    connection = json.loads(environment["AIRFLOW_CONN_MLFLOW_DEFAULT"])
    assert connection["host"] == environment["MLFLOW_TRACKING_URI"] == "https://ml.example.com/mlflow"
    assert connection["login"] == "edge"


def test_every_address_in_it_is_the_server_s():
    addresses = set(re.findall(r"\w+://[^/\s\"']+", written()))
    assert addresses == {"https://ml.example.com"}
    environment = service(written())["environment"]
    assert environment["AIRFLOW__EDGE__API_URL"] == "https://ml.example.com/edge_worker/v1/"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "https://ml.example.com/execution/"


def test_what_runs_has_limits_no_rights_and_lets_tasks_finish():
    found = service(written())
    assert found["image"] == "airfoil/airflow:1.2.3"
    assert found["pull_policy"] == "never", "nobody on Docker Hub is asked for it"
    assert found["command"][-6:] == ["--edge-hostname", "far-1", "--queues", "edge,gpu", "--concurrency", "2"]
    assert found["stop_signal"] == "SIGINT"
    assert found["cap_drop"] == ["ALL"]
    assert found["mem_limit"]
    assert "ports" not in found


def test_the_authority_travels_with_it_and_dollars_survive_compose():
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    found = service(written(authority=pem, MLFLOW_EDGE_PASSWORD="a$b"))
    assert found["environment"]["AIRFOIL_AUTHORITY"] == pem
    assert found["environment"]["MLFLOW_TRACKING_PASSWORD"] == "a$$b"


def test_an_mlflow_on_a_host_of_its_own_is_asked_there():
    found = service(written(AIRFOIL_MLFLOW_URL="https://mlflow.ml.example.com"))["environment"]
    assert found["MLFLOW_TRACKING_URI"] == "https://mlflow.ml.example.com/mlflow"
    assert json.loads(found["AIRFLOW_CONN_MLFLOW_DEFAULT"])["host"] == found["MLFLOW_TRACKING_URI"]


def test_the_login_of_somebody_elses_mlflow_survives_with_every_sign_in_it():
    odd = "p/w+x=:@#?%2F&'\"{}\\$7M,"
    environment = service(written(MLFLOW_URL="https://mlflow.example.org", MLFLOW_AIRFLOW_PASSWORD=odd))[
        "environment"
    ]
    assert environment["MLFLOW_TRACKING_PASSWORD"] == odd.replace("$", "$$")
    connection = environment["AIRFLOW_CONN_MLFLOW_DEFAULT"].replace("$$", "$")
    assert json.loads(connection)["password"] == odd


def test_dag_files_from_git_are_followed_there_without_the_token():
    text = written(DAGS_GIT_URL="https://git.example.com/flows.git", DAGS_GIT_TOKEN="t0ken-not-real")
    (bundle,) = json.loads(service(text)["environment"]["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    assert bundle["kwargs"]["tracking_ref"] == "main"
    assert "t0ken" not in text


def test_an_mlflow_of_somebody_else_is_asked_where_it_is():
    found = service(written(MLFLOW_URL="https://mlflow.example.org"))["environment"]
    assert found["MLFLOW_TRACKING_URI"] == "https://mlflow.example.org"
    assert found["MLFLOW_TRACKING_USERNAME"] == "airflow"


def test_an_image_of_one_s_own_is_taken():
    assert service(written(AIRFLOW_IMAGE="registry/airflow:7"))["image"] == "registry/airflow:7"


def test_patience_is_that_of_the_server_s_own_workers():
    text = (shipped.folder("compose") / "compose.yaml").read_text(encoding="utf-8")
    theirs = yaml.safe_load(text)["x-airflow-environment"]
    ours = service(written())["environment"]
    same = [name for name in ours if name.startswith(("AIRFLOW__WORKERS__", "MLFLOW_HTTP"))]
    assert len(same) == 5
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}


def test_the_list_keeps_one_token_for_each_name():
    text = remote_workers.admitted("", FAR, "n1")
    text = remote_workers.admitted(text, Worker("a", ("edge",)), "n2")
    text = remote_workers.admitted(text, FAR, "n3")
    assert json.loads(text) == {
        "a": {"token": "n2", "queues": ["edge"]},
        "far-1": {"token": "n3", "queues": ["edge", "gpu"]},
    }
    assert json.loads(remote_workers.dismissed(text, "far-1")) == {"a": {"token": "n2", "queues": ["edge"]}}
    with pytest.raises(ConfigurationError, match='No worker "b"') as error:
        remote_workers.dismissed(text, "b")
    assert "Known: a, far-1" in error.value.in_full


@pytest.mark.parametrize("name", ["", "Far", "a/b", "../a", "-a", "a" * 43])
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        remote_workers.check(Worker(name, ("edge",)))


@pytest.mark.parametrize(
    "worker", [Worker("a", ()), Worker("a", ("edge",), concurrency=0), Worker("a", ("edge",), days=0)]
)
def test_a_worker_that_does_nothing_is_refused(worker):
    with pytest.raises(ConfigurationError, match="serves a queue"):
        remote_workers.check(worker)


def test_the_account_and_the_verifier_are_those_of_the_compose_file():
    text = (shipped.folder("compose") / "compose.yaml").read_text(encoding="utf-8")
    assert f'"{remote_workers.ACCOUNT}": "${{MLFLOW_EDGE_PASSWORD' in text
    server = yaml.safe_load(text)["services"]["airflow-api-server"]["environment"]
    assert server["AIRFLOW__EDGE__JWT_ISSUER"] == remote_workers.ISSUER
    assert server["AIRFLOW__EDGE__JWT_AUDIENCE"] == remote_workers.AUDIENCE
    assert Path(server["AIRFLOW__EDGE__TRUSTED_JWKS_URL"]).name == remote_workers.KEYS
    assert Path(server["AIRFLOW__AIRFOIL__EDGE_WORKERS"]).name == remote_workers.LIST
