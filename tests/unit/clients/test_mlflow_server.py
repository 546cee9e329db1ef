"""Where an MLflow server is, and what is refused as one."""

import pytest

from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


def test_a_server_shows_no_secret():
    shown = repr(MlflowServer("http://mlflow.test/", username="ana", password="s3cret", token="t0ken"))
    assert "http://mlflow.test'" in shown
    assert "s3cret" not in shown
    assert "t0ken" not in shown


@pytest.mark.parametrize(("uri", "asked"), [("http://127.0.0.1:5000", False), ("http://mlflow.test", True)])
def test_a_proxy_is_not_asked_for_this_machine(uri, asked):
    assert MlflowServer(uri).client_options()["trust_env"] is asked


@pytest.mark.parametrize("uri", ["", "sqlite:///mlflow.db", "/tmp/mlruns", "databricks", "http://"])
def test_what_is_not_a_server_is_refused(uri):
    with pytest.raises(ConfigurationError, match="not the address of an MLflow server"):
        MlflowServer(uri)


def test_links_for_people_begin_where_people_come_in():
    behind = MlflowServer("http://mlflow:5000/mlflow", browser_url="https://ml.example.com/mlflow/")
    assert behind.page == "https://ml.example.com/mlflow"
    assert behind.uri == "http://mlflow:5000/mlflow"
    assert MlflowServer("http://mlflow:5000/").page == "http://mlflow:5000"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "ml.example.com/mlflow"])
def test_what_no_browser_opens_is_refused(address):
    with pytest.raises(ConfigurationError, match="where a browser finds MLflow"):
        MlflowServer("http://mlflow:5000", browser_url=address)


def test_a_ca_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.pem"):
        MlflowHttp(MlflowServer("https://mlflow.test", ca_file=str(tmp_path / "missing.pem")))


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_authorities_of_the_environment_count_over_tls_alone(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    MlflowHttp(MlflowServer("http://mlflow.test")).close()
    with pytest.raises(ConfigurationError, match=r"missing\.pem"):
        MlflowHttp(MlflowServer("https://mlflow.test"))
