"""The shipped pipelines that tell people, on a platform as users have it: each run ends as it should, and mails arrive.

`data_validation_pipeline` meets each kind of input; `ml_pipeline` deploys, changes nothing, refuses, and has no source.
"""

from __future__ import annotations

import json

import pytest
from tests.mail_server import MailServerForTests, serving
from tests.sizes import full_only
from tests.system.platforms import free_ports, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200)]

TO = "ml-team@example.com"
VALIDATION = "data_validation_pipeline"
MOST_SECONDS = 15 * 60
LIFECYCLE, MODEL = "ml_pipeline", "iris"
RETRIES_AFTER = "timedelta(seconds=10)"


@pytest.fixture(scope="module")
def mail():
    with serving(MailServerForTests()) as server:
        yield server


@pytest.fixture(scope="module")
def platform(make_platform, mail):
    alerts = {"mail_to": [TO], "smtp": f"smtp://127.0.0.1:{mail.port}"}
    made = make_platform({"alerts": alerts}, template="all")
    # A platform that waits is busy as well.
    file = made.project.dags / f"{LIFECYCLE}.py"
    text = file.read_text(encoding="utf-8")
    assert RETRIES_AFTER in text
    file.write_text(text.replace(RETRIES_AFTER, "timedelta(seconds=1)"), encoding="utf-8")
    made.up()
    return made


def run(platform, mail, dag_id, *params):
    mail.mails.clear()
    done = platform.run("run", dag_id, *(word for one in params for word in ("--param", one)))
    print(f"{dag_id} {params}: {done.seconds:.1f} s")
    return done


def told(mail):
    wait_until(lambda: mail.mails, 120, "the mail arrives", step_seconds=0.5)
    (found,) = mail.mails
    assert found.to == [TO]
    return found


def champion(platform):
    """The version that holds the alias, if any does."""
    said = platform.run("models", "show", MODEL, "--json")
    found = json.loads(said.out)["versions"] if said.code == 0 else []
    return next((one["version"] for one in found if "champion" in one["aliases"]), None)


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("none", 0, ""),
        ("drifted", 1, "drifted"),
        pytest.param("dirty", 1, "checks failed", marks=full_only),
        ("broken", 1, "damaged or was cut short"),
    ],
)
def test_each_input_ends_as_it_should(platform, mail, fault, code, said):
    done = run(platform, mail, VALIDATION, f"fault={fault}")
    assert done.code == code, f"{done.said}\n{platform.last_words()}"
    assert said in done.said
    assert done.seconds < MOST_SECONDS
    if code == 0:
        assert mail.mails == []
        return
    found = told(mail)
    assert found.message["Subject"].startswith(f"{VALIDATION} failed in ")
    assert said in found.part("plain").replace("\n", " ")
    assert "report.html" in found.part("plain")


@full_only
def test_up_has_set_the_variables_and_overwrites_none(platform):
    kept = {"ml_model_type": "random_forest", "accuracy_threshold": "0.8", "notification_email": TO}
    for name, value in kept.items():
        assert platform.run("variables", "get", name).out.strip() == value
    assert platform.run("variables", "get", "crawl_url").out.strip().endswith("/samples/iris.csv")


def test_the_sample_is_crawled_and_a_model_deployed(platform, mail):
    done = run(platform, mail, LIFECYCLE)
    assert done.code == 0, f"{done.said}\n{platform.last_words()}"
    assert champion(platform) == 1
    assert "a new iris model is deployed" in told(mail).message["Subject"]


@full_only
def test_an_unchanged_source_is_one_task(platform, mail):
    done = run(platform, mail, LIFECYCLE)
    assert done.code == 0, done.said
    assert champion(platform) == 1
    assert mail.mails == []


def test_below_the_threshold_the_champion_stays(platform, mail):
    done = run(platform, mail, LIFECYCLE, "accuracy_threshold=0.9999")
    assert done.code == 0, f"{done.said}\n{platform.last_words()}"
    assert champion(platform) == 1
    assert "no new iris model" in told(mail).message["Subject"]


def test_a_source_that_is_down_is_a_clear_failure(platform, mail):
    (port,) = free_ports(1)
    environment = {**platform.environment, "CRAWL_URL": f"http://127.0.0.1:{port}/iris.csv"}
    kept = platform.run("variables", "set", "crawl_url", "--from-env", "CRAWL_URL", environment=environment)
    assert kept.code == 0, kept.said
    done = run(platform, mail, LIFECYCLE)
    assert done.code == 1
    assert "The server of iris does not answer" in done.said
    assert "The server of iris does not answer" in told(mail).part("plain").replace("\n", " ")
    assert champion(platform) == 1
