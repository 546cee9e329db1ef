"""A server whose Postgres, Redis, S3 store, MLflow and certificate are the user's own, and used.

FULL alone: it is a second server beside the one that the other tests share, with one worker and few parts.
"""

from __future__ import annotations

import json
import secrets
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.deploy import compose_server, neighbours
from tests.sizes import full_only

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(1800), full_only]

HOST = "localhost"
TOLD = """
import json, os
import mlflow
os.environ["MLFLOW_TRACKING_USERNAME"] = os.environ["MLFLOW_AUTH_ADMIN_USERNAME"]
os.environ["MLFLOW_TRACKING_PASSWORD"] = os.environ["MLFLOW_AUTH_ADMIN_PASSWORD"]
mlflow.set_tracking_uri("http://localhost:5000")
client = mlflow.MlflowClient()
versions = client.search_model_versions("name='wine'")
every = [one.experiment_id for one in client.search_experiments()]
running = client.search_runs(every, "attributes.status = 'RUNNING'")
stored = client.list_artifacts(versions[0].run_id) or client.get_logged_model(versions[0].model_id)
print(json.dumps({"versions": [one.version for one in versions], "running": len(running), "stored": bool(stored)}))
"""


OURS_WITHOUT_A_LOGIN = (
    "flower:5555",
    "feature-server:6566",
    "postgres-exporter:9187",
    "redis-exporter:9121",
)
TRIED = """
import json, socket, sys
found = {}
for one in sys.argv[1:]:
    host, _, port = one.partition(":")
    try:
        socket.create_connection((host, int(port)), 5).close()
        found[one] = "answers"
    except OSError as error:
        found[one] = type(error).__name__
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def theirs(docker_engine, tmp_path_factory):
    tls = tmp_path_factory.mktemp("theirs")
    write_certificate(tls)
    # Docker asks the networks of a container for a name by the alphabet: theirs comes before ours.
    with neighbours.running(f"adjacent-{secrets.token_hex(3)}", tls) as found:
        yield found


@pytest.fixture(scope="module")
def joined(theirs, tmp_path_factory):
    """A server that has nothing of its own but Airflow, MLflow, features, metrics and the proxy."""
    parts = {"AIRFOIL_PARTS": "features,flower,metrics", "AIRFOIL_TLS": "own", "AIRFOIL_HOST": HOST}
    made = compose_server.made(tmp_path_factory.mktemp("joined"), **theirs.variables, **parts)
    write_certificate(made.folder / "tls")
    with compose_server.running(made, workers=1) as found:
        yield found


def write_certificate(folder):
    """A certificate for the host's name, as somebody's own authority would give it; the key is its owner's alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(*plain))
    (folder / "tls.key").chmod(0o600)


def test_none_of_ours_is_started_and_all_others_are_well(joined):
    running = {name.rpartition("-")[0] for name in joined.states()}
    assert running.isdisjoint({"postgres", "redis", "s3"})
    assert {"mlflow", "airflow-worker", "postgres-exporter", "feature-server"} <= running


def test_the_certificate_is_ours_and_browsers_are_told_to_insist(joined):
    own = (joined.folder / "tls" / "tls.crt").read_text(encoding="ascii")
    host, _, port = joined.variables["HTTPS_PORT"].rpartition(":")
    shown = ssl.get_server_certificate((host, int(port)))
    assert ssl.PEM_cert_to_DER_cert(shown) == ssl.PEM_cert_to_DER_cert(own)
    with joined.client() as client:
        assert "max-age=" in client.get("/auth/login/").headers["Strict-Transport-Security"]


def test_a_dag_runs_and_its_logs_are_in_their_store(joined):
    run_id = joined.trigger("simple_test_dag")
    assert joined.wait_for("simple_test_dag", run_id)["state"] == "success"
    (task, *_) = joined.tasks("simple_test_dag", run_id)
    path = f"/dags/simple_test_dag/dagRuns/{run_id}/taskInstances/{task.partition('[')[0]}/logs/1"
    assert "s3://airflow-logs/" in str(joined.api("GET", path))


def test_each_database_is_in_their_postgres_with_a_role_of_its_own(theirs, joined):
    found = theirs.databases()
    assert {name: found.get(name) for name in ("airflow", "mlflow", "mlflow_auth", "feast")} == {
        name: name for name in ("airflow", "mlflow", "mlflow_auth", "feast")
    }


def test_every_connection_to_their_postgres_is_encrypted(theirs, joined):
    query = (
        "select bool_and(ssl), count(*) from pg_stat_ssl join pg_stat_activity using (pid) "
        "where client_addr is not null"
    )
    encrypted, connections = (
        theirs.inside("postgres", "psql", "-U", "postgres", "-At", "-c", query).strip().split("|")
    )
    assert encrypted == "t"
    assert int(connections) > 5


def test_keys_of_celery_carry_the_prefix_in_the_database_that_was_named(theirs, joined):
    run_id = joined.trigger("simple_test_dag")
    assert joined.wait_for("simple_test_dag", run_id)["state"] == "success"
    found = theirs.keys(2)
    assert any("celery-task-meta" in key for key in found)
    assert [key for key in found if not key.startswith(neighbours.PREFIX)] == []
    assert theirs.keys(0) == []


def test_features_are_in_their_redis(theirs, joined):
    before = set(theirs.keys(2))
    run_id = joined.trigger("feast_feature_materialization")
    assert joined.wait_for("feast_feature_materialization", run_id)["state"] == "success"
    assert [key for key in set(theirs.keys(2)) - before if not key.startswith(neighbours.PREFIX)]


def test_flower_and_prometheus_see_their_redis_and_postgres(joined):
    def asked(expression):
        with joined.client(cookies={"_token": joined.token()}) as client:
            answer = client.get("/prometheus/api/v1/query", params={"query": expression})
        return answer.json()["data"]["result"]

    for expression in ("pg_up == 1", "redis_up == 1", "sum(flower_worker_online) >= 1"):
        assert compose_server.until(lambda expression=expression: asked(expression), expression)


def test_what_asks_for_no_login_does_not_answer_their_network(theirs, joined):
    """They are there, since their names are known; one that tells everybody how it is shows that the look works."""
    health = "airflow-scheduler:8974"
    said = json.loads(theirs.inside("stranger", "python", "-c", TRIED, *OURS_WITHOUT_A_LOGIN, health))
    assert said == {health: "answers", **dict.fromkeys(OURS_WITHOUT_A_LOGIN, "ConnectionRefusedError")}


def test_mlflow_becomes_theirs_by_its_address_alone(theirs, joined):
    """The last: a server that runs already is told of it as a person does it."""
    image = f"airfoil/mlflow:{compose_server.IMAGES_TAG}"
    compose_server.set_variables(joined.folder, neighbours.start_mlflow(theirs, image))
    compose_server.render(joined.folder.parents[1])
    joined.compose("up", "--detach", "--wait", "--scale", "airflow-worker=1")
    joined.compose("rm", "--stop", "--force", "mlflow")
    assert joined.wait_for("example_dag", joined.trigger("example_dag"))["state"] == "success"
    told = theirs.inside("mlflow", "python", "-c", TOLD)
    assert json.loads(told) == {"versions": ["1"], "running": 0, "stored": True}
