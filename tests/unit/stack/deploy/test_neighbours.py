"""What follows from .env: our own servers, those that exist, and the one address of all."""

from __future__ import annotations

import ssl
from urllib.parse import quote

import pytest

from airfoil.errors import SettingsError
from airfoil.stack.deploy import env_file, neighbours, shipped

pytestmark = pytest.mark.unit

EXAMPLE = env_file.values((shipped.folder("compose") / "env.example").read_text(encoding="utf-8"))


def derived(**changes):
    given = EXAMPLE | {"POSTGRES_PASSWORD": "pg-secret", "REDIS_PASSWORD": "re-secret"} | changes
    return neighbours.derived({name: env_file.spoken(value) for name, value in given.items()}, "1.2.3")


def test_everything_is_ours_at_first():
    found = derived()
    assert found["COMPOSE_PROFILES"] == "postgres,redis,s3,mlflow,features,flower,maintenance,metrics,status"
    assert found["AIRFOIL_URL"] == "https://localhost"
    assert found["AIRFOIL_TAG"] == "1.2.3"
    assert (found["POSTGRES_HOST"], found["POSTGRES_PORT"]) == ("postgres", "5432")
    assert found["POSTGRES_ADMIN_PASSWORD"] == "pg-secret"
    assert found["CELERY_BROKER_URL"] == "redis://:re-secret@redis:6379/0"
    assert found["FEAST_REDIS"] == "redis:6379,db=1,password=re-secret,ssl=false"
    assert found["S3_ENDPOINT"] == "http://s3:8333"
    assert found["MLFLOW_TRACKING_URI"] == "http://mlflow:5000/mlflow"
    assert (found["PRIVATE_NETWORK"], found["PRIVATE_DOMAIN"]) == ("airfoil-private", "")


def test_in_a_network_of_others_ours_are_found_by_names_that_nobody_else_has():
    found = derived(JOIN_NETWORK="company", COMPOSE_PROJECT_NAME="shop_1")
    assert found["PRIVATE_DOMAIN"] == ".shop-1-private"
    assert found["POSTGRES_HOST"] == "postgres.shop-1-private"
    assert found["CELERY_BROKER_URL"] == "redis://:re-secret@redis.shop-1-private:6379/0"
    assert found["REDIS_ADDRESS"] == "redis://redis.shop-1-private:6379"
    assert found["FEAST_REDIS"].startswith("redis.shop-1-private:6379,")
    assert found["S3_ENDPOINT"] == "http://s3.shop-1-private:8333"
    assert found["MLFLOW_TRACKING_URI"] == "http://mlflow.shop-1-private:5000/mlflow"


def test_every_variable_of_the_last_part_is_given_and_no_other():
    text = (shipped.folder("compose") / "env.example").read_text(encoding="utf-8")
    last = text.rpartition("# ----")[2]
    assert set(env_file.values(last)) == set(derived())


def test_servers_that_exist_are_not_started():
    found = derived(
        POSTGRES_URL="postgresql://dba:p%40ss@db.example.com:6432/admin?sslmode=require",
        REDIS_URL="rediss://:secret-r@cache.example.com/3",
        S3_URL="https://s3.example.com/",
        MLFLOW_URL="https://mlflow.example.com/base/",
    )
    assert found["COMPOSE_PROFILES"] == "features,flower,maintenance,metrics,status"
    assert (found["POSTGRES_HOST"], found["POSTGRES_PORT"]) == ("db.example.com", "6432")
    assert (found["POSTGRES_ADMIN_USER"], found["POSTGRES_ADMIN_PASSWORD"]) == ("dba", "p@ss")
    assert (found["POSTGRES_ADMIN_DATABASE"], found["POSTGRES_SSLMODE"]) == ("admin", "require")
    assert found["CELERY_BROKER_URL"] == "rediss://:secret-r@cache.example.com/3?ssl_cert_reqs=required"
    assert found["FEAST_REDIS"] == "cache.example.com:6379,db=3,password=secret-r,ssl=true"
    assert (found["REDIS_ADDRESS"], found["REDIS_SERVER_PASSWORD"]) == (
        "rediss://cache.example.com:6379",
        "secret-r",
    )
    assert found["S3_ENDPOINT"] == "https://s3.example.com"
    assert found["MLFLOW_TRACKING_URI"] == "https://mlflow.example.com/base"


@pytest.mark.parametrize(
    ("given", "username", "port"),
    [
        ("rediss://:p%2Fw+%24HOME@cache.example.com:6380/3", None, 6380),
        ("rediss://anne:p%2Fw+$HOME@cache.example.com/3", "anne", 6379),
        ("rediss://anne:p%2Fw+$HOME@cache.example.com/3?ssl_cert_reqs=required", "anne", 6379),
        ("rediss://anne:p%2Fw+$HOME@cache.example.com/3?ssl_ca_certs=%2Fetc%2Fca.pem", "anne", 6379),
    ],
)
def test_a_redis_behind_tls_is_one_for_all_who_read_its_address(given, username, port):
    import redis
    from celery import Celery
    from flower.utils.broker import Broker

    address = derived(REDIS_URL=given)["CELERY_BROKER_URL"]
    assert "$" not in address, "Airflow would put a variable there"
    app = Celery("x", broker=address, backend=address, set_as_current=False)
    results = app.backend.connparams  # it refuses an address that does not say how certificates are checked
    assert (results["host"], results["port"], results["db"]) == ("cache.example.com", port, 3)
    assert results["ssl_cert_reqs"] == ssl.CERT_REQUIRED
    with app.connection_for_read() as queue:
        assert queue.ssl["ssl_cert_reqs"] == ssl.CERT_REQUIRED, "else Celery checks none"
        assert (queue.userid, queue.password, queue.virtual_host) == (username, "p/w+$HOME", "3")
    ours = redis.Redis.from_url(address)
    looks = Broker(
        app.connection().as_uri(include_password=True), broker_use_ssl=app.conf.broker_use_ssl
    ).redis
    for client in (ours, looks):
        connection = client.connection_pool.make_connection()
        assert (connection.host, connection.port, connection.db) == ("cache.example.com", port, 3)
        assert connection.password == "p/w+$HOME"


@pytest.mark.parametrize(
    "password",
    [
        "secret-r",
        "pT3bcYh8Xk+Q2/aAzCaFz1W0w=",  # Azure ends them so
        "a,b=c: #'\"{}$HOME\\n%,ssl=false",
        "123456789012",
        "1e5",
        "true",
        "größe 🔑",
    ],
)
def test_feast_is_told_every_password_and_whose_it_is(password):
    import os

    import yaml
    from feast.infra.online_stores.redis import RedisOnlineStore

    found = derived(REDIS_URL=f"rediss://anne:{quote(password, safe='')}@cache.example.com:6380/2")
    assert (found["REDIS_SERVER_USER"], found["REDIS_SERVER_PASSWORD"]) == ("anne", password)
    # As Feast reads feature_store.yaml: variables of the environment first, then YAML, then its own form.
    text = os.path.expandvars(f"connection_string: {found['FEAST_REDIS']}\n")
    nodes, told = RedisOnlineStore._parse_connection_string(yaml.safe_load(text)["connection_string"])
    assert nodes == [{"host": "cache.example.com", "port": "6380"}]
    assert told == {"db": 2, "username": "anne", "password": password, "ssl": True}


def test_who_wants_no_certificates_checked_has_said_so():
    found = derived(REDIS_URL="rediss://cache/1?ssl_cert_reqs=none")
    assert found["CELERY_BROKER_URL"] == "rediss://cache/1?ssl_cert_reqs=none"


def test_without_tls_nothing_is_said_of_certificates():
    assert derived(REDIS_URL="redis://:a@cache/1")["CELERY_BROKER_URL"] == "redis://:a@cache/1"


def test_an_open_redis_needs_no_password():
    assert derived(REDIS_URL="redis://cache")["FEAST_REDIS"] == "cache:6379,db=0,ssl=false"


@pytest.mark.parametrize(
    ("port", "url"),
    [
        ("443", "https://ml.example.com"),
        ("8443", "https://ml.example.com:8443"),
        ("127.0.0.1:8443", "https://ml.example.com:8443"),
        ("[::1]:443", "https://ml.example.com"),
    ],
)
def test_the_address_names_a_port_that_is_not_the_usual_one(port, url):
    assert derived(AIRFOIL_HOST="ml.example.com", HTTPS_PORT=port)["AIRFOIL_URL"] == url


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_postgres_is_asked_for_tls_as_the_address_says(mode):
    address = "postgresql://dba:p@db.example.com/admin"
    assert derived(POSTGRES_URL=f"{address}?sslmode={mode}")["POSTGRES_SSLMODE"] == mode
    assert derived(POSTGRES_URL=address)["POSTGRES_SSLMODE"] == "require"


def test_an_address_of_the_newer_kind_may_be_the_server_s_in_brackets():
    assert derived(AIRFOIL_HOST="[2001:db8::7]")["AIRFOIL_URL"] == "https://[2001:db8::7]"


def test_parts_can_be_left_out():
    assert derived(AIRFOIL_PARTS="")["COMPOSE_PROFILES"] == "postgres,redis,s3,mlflow"
    assert derived(AIRFOIL_PARTS=" metrics , grafana")["COMPOSE_PROFILES"].endswith("mlflow,metrics,grafana")


def test_airflow_speaks_of_metrics_where_somebody_listens():
    assert derived()["AIRFOIL_STATSD_ON"] == "True"
    assert derived(AIRFOIL_PARTS="status")["AIRFOIL_STATSD_ON"] == "False"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"AIRFOIL_PARTS": "flower,disco"}, "AIRFOIL_PARTS"),
        ({"AIRFOIL_PARTS": "grafana"}, "AIRFOIL_PARTS"),
        ({"AIRFOIL_HOST": "https://ml"}, "AIRFOIL_HOST"),
        ({"AIRFOIL_HOST": "ml:8443"}, "AIRFOIL_HOST"),
        ({"AIRFOIL_HOST": ""}, "AIRFOIL_HOST"),
        ({"AIRFOIL_TLS": "off"}, "AIRFOIL_TLS"),
        ({"AIRFOIL_TLS": "automatic"}, "AIRFOIL_TLS_EMAIL"),
        ({"HTTPS_PORT": "https"}, "HTTPS_PORT"),
        ({"AIRFOIL_HOST": "2001:db8::7"}, "AIRFOIL_HOST"),
        ({"AIRFOIL_HOST": "::1"}, "AIRFOIL_HOST"),
        ({"POSTGRES_URL": "mysql://x@y/z"}, "POSTGRES_URL"),
        ({"POSTGRES_URL": "postgresql://a:b@[2001:db8::7]:5432/x"}, "POSTGRES_URL"),
        ({"POSTGRES_URL": "postgresql://a:b@h/x?sslmode=verify-full"}, "POSTGRES_URL"),
        ({"POSTGRES_URL": "postgresql://a:b@h/x?sslmode=verify-ca"}, "POSTGRES_URL"),
        ({"POSTGRES_URL": "postgresql://a:b@h/x?sslmode=on"}, "POSTGRES_URL"),
        ({"POSTGRES_URL": "postgresql://a:b@h/x?sslmode="}, "POSTGRES_URL"),
        ({"POSTGRES_URL": "postgresql://a:b@h/x?sslmode=require&sslrootcert=%2Fca.pem"}, "POSTGRES_URL"),
        ({"POSTGRES_URL": "postgresql://a:b@h/x?options=-c%20search_path%3Dx"}, "POSTGRES_URL"),
        ({"REDIS_URL": "redis://:a@[::1]:6379/0"}, "REDIS_URL"),
        ({"POSTGRES_URL": "postgresql://a:b/c@h/x:y"}, "POSTGRES_URL"),
        ({"REDIS_URL": "cache:6379"}, "REDIS_URL"),
        ({"S3_URL": "s3.example.com"}, "S3_URL"),
        ({"MLFLOW_URL": "ftp://x"}, "MLFLOW_URL"),
    ],
)
def test_what_cannot_be_is_named(changes, name):
    with pytest.raises(SettingsError) as caught:
        derived(**changes)
    assert caught.value.message.startswith(f"{name} in .env ")
    assert caught.value.next_move


def test_workers_on_other_hosts_are_let_in_by_one_switch():
    assert derived()["EDGE_EXECUTOR"] == ""
    assert (
        derived(EDGE_WORKERS="true")["EDGE_EXECUTOR"]
        == ",EdgeExecutor:airfoil.runtime.edge_executor.EdgeExecutor"
    )
    with pytest.raises(SettingsError, match="EDGE_WORKERS"):
        derived(EDGE_WORKERS="yes")
    with pytest.raises(SettingsError, match="names ml, which WORKER_QUEUES names too"):
        derived(EDGE_WORKERS="true", EDGE_QUEUES="edge,ml")
