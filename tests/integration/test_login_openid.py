"""People of an OpenID Connect issuer log in to a real Airflow: the whole flow over TLS, and every way to bend it."""

from __future__ import annotations

import time

import httpx
import pytest
from tests.integration import login_scenes as scenes
from tests.integration.mlflow_servers import write_certificates
from tests.integration.openid_issuer import CLIENT, running_issuer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def person(name, *groups, **more):
    return {
        "sub": f"id-of-{name}",
        "preferred_username": name,
        "given_name": name,
        "family_name": "Of The Test",
        "email": f"{name}@airfoil.test",
        "realm_access": {"roles": list(groups)},
        **more,
    }


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return write_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def serving(certificates):
    with running_issuer(certificates) as issuer:
        yield issuer


@pytest.fixture
def issuer(serving):
    """The issuer, straight again after each test."""
    yield serving
    serving.bent, serving.on_request, serving.signing_key = {}, (), None


@pytest.fixture(scope="module")
def airflow(migrated_airflow, serving, certificates, tmp_path_factory):
    settings = {
        "AIRFOIL_LOGIN": "oauth",
        "AIRFOIL_LOGIN_CA": str(certificates[0]),
        "OAUTH_ISSUER": serving.url,
        "OAUTH_CLIENT_ID": CLIENT[0],
        "OAUTH_CLIENT_SECRET": CLIENT[1],
        "OAUTH_GROUPS_CLAIM": "realm_access.roles",
        "LOGIN_ADMINS": "ml-admins",
        "LOGIN_USERS": "engineers",
        "LOGIN_VIEWERS": "guests",
    }
    home = tmp_path_factory.mktemp("openid") / "home"
    with scenes.fab_airflow(migrated_airflow, home, **settings) as airflow:
        yield airflow


@pytest.fixture
def log_in(airflow, issuer, certificates):
    """Go the whole way with a fresh browser: it and where it ends up."""
    import ssl

    opened = []

    def go(who, bend=lambda address: address):
        issuer.person = who
        browser = scenes.new_browser(verify=ssl.create_default_context(cafile=certificates[0]))
        opened.append(browser)
        asked = browser.get(f"{airflow.url}/auth/login/sso", params={"next": "/mlflow/"})
        assert asked.headers["Location"].startswith(f"{issuer.url}/authorize?"), asked.headers["Location"]
        back = httpx.URL(browser.get(asked.headers["Location"]).headers["Location"])
        assert str(back).startswith(f"{airflow.url}/auth/oauth-authorized/sso?")
        return browser, browser.get(bend(back)).headers["Location"]

    yield go
    for browser in opened:
        browser.close()


@pytest.mark.parametrize(
    ("name", "group", "role", "at_the_door"),
    [
        ("ada", "ml-admins", "Admin", "admin"),
        ("emil", "engineers", "User", "editor"),
        ("vera", "guests", "Viewer", "viewer"),
    ],
)
def test_a_person_logs_in_with_the_rights_of_their_group_and_is_known_at_every_page(
    airflow, log_in, name, group, role, at_the_door
):
    browser, place = log_in(person(name, group, "of-no-meaning-here"))
    assert place == f"{airflow.url}/mlflow/"
    assert scenes.door(airflow, browser) == (204, name, at_the_door)
    assert scenes.roles(airflow, name) == {role, "Public"}


def test_the_page_of_logins_offers_the_issuer_and_remembers_where_one_wanted_to_go(airflow):
    with scenes.new_browser() as browser:
        text = browser.get(f"{airflow.url}/auth/login/", params={"next": "/mlflow/"}).text
    assert "btn-signin-sso" in text
    assert "%2Fmlflow%2F" in text or "/mlflow/" in text


def test_who_has_the_key_of_workers_cannot_say_that_he_is_the_administrator(airflow):
    name, _ = scenes.LOCAL
    key_of_workers = airflow.home.settings["AIRFLOW__API__SECRET_KEY"]
    assert scenes.token_for_cookie(airflow, name, key_of_workers) == ""
    assert scenes.token_for_cookie(airflow, name, scenes.SESSION_KEY), "the look itself works"


def test_somebody_in_no_group_gets_in_and_has_no_rights(airflow, log_in):
    browser, place = log_in(person("nora"))
    assert place.endswith("/mlflow/")
    assert scenes.door(airflow, browser)[0] == 403
    assert browser.get(f"{airflow.url}/api/v2/connections").status_code == 403


def test_groups_that_only_a_request_tells_are_asked_for(airflow, issuer, log_in):
    issuer.on_request = ("realm_access", "email")
    browser, _ = log_in(person("quinn", "engineers"))
    assert scenes.door(airflow, browser) == (204, "quinn", "editor")


def test_rights_follow_the_groups_at_the_next_login(airflow, log_in):
    log_in(person("rita", "ml-admins"))
    assert scenes.roles(airflow, "rita") == {"Admin", "Public"}
    browser, _ = log_in(person("rita", "guests"))
    assert scenes.roles(airflow, "rita") == {"Viewer", "Public"}
    assert scenes.door(airflow, browser)[2] == "viewer"


def refused(airflow, browser, place):
    return "/auth/login" in place and scenes.door(airflow, browser)[0] == 401


@pytest.mark.parametrize(
    "bent",
    [
        {"iss": "https://issuer.example.com"},
        {"aud": "another-application"},
        {"aud": []},
        {"nonce": "of-another-login"},
        {"exp": 1_000_000_000},
        {"preferred_username": ""},
        {"preferred_username": ["ada"]},
        {"sub": ""},
    ],
    ids=lambda bent: next(iter(bent)),
)
def test_a_token_that_is_not_for_this_login_opens_nothing(airflow, issuer, log_in, bent):
    issuer.bent = bent
    before = scenes.names(airflow)
    assert refused(airflow, *log_in(person("eve", "ml-admins")))
    assert scenes.names(airflow) == before


def test_a_token_that_another_key_has_signed_opens_nothing(airflow, issuer, log_in):
    issuer.signing_key = type(issuer)().key
    assert refused(airflow, *log_in(person("eve", "ml-admins")))
    assert "eve" not in scenes.names(airflow)


def test_an_answer_to_another_browser_opens_nothing(airflow, log_in):
    assert refused(
        airflow, *log_in(person("eve", "ml-admins"), lambda back: back.copy_set_param("state", "x"))
    )
    assert refused(
        airflow, *log_in(person("eve", "ml-admins"), lambda back: back.copy_set_param("code", "x"))
    )
    assert "eve" not in scenes.names(airflow)


def test_who_answers_another_persons_question_is_not_told_of(airflow, issuer, log_in):
    issuer.on_request = ("realm_access",)
    issuer.bent = {"sub": "id-of-somebody-else"}
    assert refused(airflow, *log_in(person("eve", "ml-admins")))


@pytest.mark.parametrize("name", ["admin", "ADMIN"])
def test_nobody_takes_over_a_local_account_by_its_name(airflow, log_in, name):
    assert refused(airflow, *log_in(person(name, "guests")))
    assert scenes.roles(airflow, "admin") == {"Admin"}
    assert scenes.token_status(airflow, *scenes.LOCAL) == 201, "programs and the administrator have their way"


def test_an_address_of_mail_of_somebody_else_makes_no_account(airflow, log_in):
    assert refused(airflow, *log_in(person("eve", "ml-admins", email="admin@localhost")))
    assert "eve" not in scenes.names(airflow)


def test_who_is_switched_off_here_stays_out_and_an_open_session_ends(airflow, log_in):
    browser, _ = log_in(person("dora", "guests"))
    assert scenes.door(airflow, browser)[0] == 204
    scenes.switch_off(airflow, "dora")
    assert refused(airflow, *log_in(person("dora", "guests")))
    # Airflow remembers an account for a moment.
    airflow.until(lambda: scenes.door(airflow, browser)[0] == 401, 60, "the session of dora ends")


def test_accounts_of_the_issuer_have_no_password_here(airflow, log_in):
    log_in(person("peter", "guests"))
    for password in ("!", "peter", " ", "airflow"):
        assert scenes.token_status(airflow, "peter", password) in {400, 401}


def test_a_login_lasts_no_longer_than_the_token_says(airflow, log_in):
    import jwt

    browser, _ = log_in(person("lena", "guests"))
    claims = jwt.decode(browser.cookies["_token"], options={"verify_signature": False})
    assert claims["exp"] - time.time() <= 720 * 60
