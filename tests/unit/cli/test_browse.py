import pytest

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("what", ["airflow", "mlflow"])
def test_the_address_is_opened_and_printed(airfoil, running, what):
    opened = []

    outcome = airfoil("open", what, browse=lambda url: not opened.append(url))

    assert (outcome.code, outcome.out) == (0, f"{running.url}\n")
    assert opened == [running.url]


def test_airflow_is_the_default_and_says_where_the_password_is_but_not_which(airfoil, running, project):
    from airfoil.stack import secrets

    outcome = airfoil("open", browse=lambda _: True)

    assert outcome.err == "Login admin; the password is admin_password in .airfoil/secrets.json.\n"
    assert secrets.load(project).admin_password not in outcome.out + outcome.err


def test_without_a_browser_the_address_is_what_there_is(airfoil, running):
    outcome = airfoil("open", "mlflow")

    assert outcome.code == 0
    assert outcome.err == "There is no browser here; open the address where you have one.\n"


def test_print_opens_nothing(airfoil, running):
    opened = []

    outcome = airfoil("open", "mlflow", "--print", browse=opened.append)

    assert (outcome.out, outcome.err, opened) == (f"{running.url}\n", "", [])


def test_a_login_of_mlflows_own(airfoil, running, project):
    project.toml.write_text("[mlflow]\nauth = true\n")

    assert "mlflow_admin_password" in airfoil("open", "mlflow", "--print").err


def test_what_is_not_there(airfoil, running):
    assert airfoil("open", "nonsense").code == 2
    assert "no page with an address" in airfoil("open", "status").err


def test_nothing_runs(airfoil, project):
    assert airfoil("open").err.startswith("Error: The platform is not running.")
