"""The status page in a real Chromium."""

from __future__ import annotations

import dataclasses
import time

import pytest

from airfoil.stack.page import wording

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1200, "height": 900}
PHONE = {"width": 390, "height": 844}

# Every visible text against what lies behind it, as WCAG computes it; faded parts (opacity) are left out.
CONTRAST = """() => {
  const parse = (c) => { const n = c.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const behind = (e) => {
    if (!e) return [255, 255, 255, 1];
    const own = parse(getComputedStyle(e).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(e.parentElement));
  };
  const light = (c) => {
    const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = c.slice(0, 3).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!text || !e.checkVisibility() || e.closest(".hidden, .skip, noscript, script")) continue;
    const back = behind(e);
    const [a, b] = [light(over(parse(getComputedStyle(e).color), back)), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${text} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.fixture
def visit(chromium, stage):
    """visit(**context options) opens the page; every request it makes must stay at home, every script error fails."""
    contexts, asked, troubles = [], [], []

    def open_page(**options):
        context = chromium.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("dialog", lambda dialog: troubles.append(dialog.message))
        tab.on(
            "console",
            lambda said: troubles.append(said.text) if "Content Security Policy" in said.text else None,
        )
        tab.goto(stage.url)
        if options.get("java_script_enabled", True):
            tab.wait_for_selector("#connection[data-state=live]")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
    assert asked
    assert [url for url in asked if not url.startswith(stage.url + "/")] == []


def headline(tab, text):
    tab.wait_for_function("text => document.getElementById('headline').textContent === text", arg=text)


def service(tab, name):
    return " ".join(tab.locator(f"#service-{name}").inner_text().split())


def fits(tab):
    return tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def everything_down(state, with_service):
    for row in state.services:
        if row.kind == "service" and row.name != "page":
            state = with_service(state, row.name, state="failed", pid=None, detail="it ended with signal 9")
    return dataclasses.replace(state, phase="failed")


def mlflow_down(state, with_service):
    detail = "it ended 5 times within a minute; its log says: sqlite3.DatabaseError: file is not a database"
    row = {"state": "failed", "pid": None, "since": time.time() - 62, "restarts": 5, "detail": detail}
    return dataclasses.replace(with_service(state, "mlflow", **row), phase="degraded")


def broken_dag(stage):
    trace = "Traceback (most recent call last):\nModuleNotFoundError: No module named 'lightgbm'"
    stage.airflow.routes["/api/v2/importErrors"]["import_errors"] = [
        {"filename": "dags/churn.py", "stack_trace": trace}
    ]


def test_healthy(stage, visit, picture, mib_by_service):
    stage.write(stage.healthy(mib_by_service))
    stage.start_page()
    tab = visit()
    headline(tab, "Everything is running")
    assert tab.title() == "Everything is running · wine-shop"
    assert "Running" in service(tab, "scheduler")
    assert service(tab, "mlflow").startswith("MLflow Running 2 h 14 min 0")
    assert tab.get_by_role("link", name="Open MLflow at").get_attribute("href") == stage.mlflow.url
    tab.wait_for_selector("#models .item")
    assert tab.locator("#runs .item").count() == 5
    assert "capable-wren-41" in tab.locator("#tracking").inner_text()
    assert "@champion" in tab.locator("#models").inner_text()
    assert tab.locator("#problems").count() == 0
    assert tab.locator("#icon").get_attribute("href").endswith("icon-good.svg")
    assert fits(tab)
    picture(tab, "healthy")


def test_one_service_down(stage, visit, picture, mib_by_service, with_service):
    broken_dag(stage)
    stage.write(mlflow_down(stage.healthy(mib_by_service), with_service))
    stage.start_page()
    tab = visit()
    headline(tab, "MLflow is down")
    tab.wait_for_selector("#problems li:nth-child(2)")
    problems = tab.locator("#problems").inner_text()
    assert "MLflow is down: it ended 5 times within a minute" in problems
    assert "airfoil logs mlflow" in problems
    assert "dags/churn.py does not import: ModuleNotFoundError: No module named 'lightgbm'." in problems
    assert "Down" in service(tab, "mlflow")
    assert tab.locator("#service-mlflow a").count() == 0
    assert tab.locator("#icon").get_attribute("href").endswith("icon-bad.svg")
    picture(tab, "down")


def test_everything_down(stage, visit, picture, with_service):
    stage.write(everything_down(stage.healthy(), with_service))
    stage.start_page()
    tab = visit()
    headline(tab, "Everything is down")
    assert tab.locator("#problems li").count() == 1
    assert "all for the same reason: it ended with signal 9." in tab.locator("#problems").inner_text()
    assert "Not running, so there is nothing to show." in tab.locator("#runs").inner_text()
    picture(tab, "everything-down")
    assert stage.airflow.asked == []


def test_phone_width(stage, visit, picture, mib_by_service, with_service):
    state = stage.write(stage.healthy(mib_by_service))
    stage.start_page()
    tab = visit(viewport=PHONE, is_mobile=True, has_touch=True)
    headline(tab, "Everything is running")
    tab.wait_for_selector("#models .item")
    assert fits(tab)
    picture(tab, "phone", height=1100)
    broken_dag(stage)
    long = "x" * 300
    state = mlflow_down(state, with_service)
    stage.write(with_service(state, "triggerer", state="unhealthy", detail=long, title="Triggerer " + long))
    headline(tab, "MLflow is down")
    assert fits(tab)


def test_dark(stage, visit, picture, mib_by_service, with_service):
    stage.write(mlflow_down(stage.healthy(mib_by_service), with_service))
    stage.start_page()
    tab = visit(color_scheme="dark")
    headline(tab, "MLflow is down")
    red, green, blue = tab.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert max(red, green, blue) < 40
    picture(tab, "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(stage, visit, with_service, scheme):
    broken_dag(stage)
    state = mlflow_down(stage.healthy(), with_service)
    state = with_service(state, "triggerer", state="restarting", detail="it ended with exit code 1")
    state = with_service(state, "scheduler", restarts=4)
    stage.write(with_service(state, "dag-processor", state="stopped"))
    stage.start_page()
    tab = visit(color_scheme=scheme)
    tab.wait_for_selector("#runs .item")
    tab.wait_for_selector("#problems [data-severity=notice]")
    assert tab.evaluate(CONTRAST) == []


def test_it_updates_itself_and_keeps_the_readers_place(stage, visit, with_service):
    state = stage.write(stage.healthy())
    stage.start_page()
    tab = visit()
    headline(tab, "Everything is running")
    tab.wait_for_selector("#models .item")
    tab.get_by_role("link", name="Open Airflow at").focus()
    began = time.monotonic()
    stage.write(mlflow_down(state, with_service))
    headline(tab, "MLflow is down")
    assert time.monotonic() - began < 5
    assert tab.locator("#problems li").count() >= 1
    assert tab.evaluate("document.activeElement.closest('tr')?.id") == "service-api-server"
    assert tab.title().startswith("MLflow is down")
    stage.write(state)
    headline(tab, "Everything is running")
    assert tab.locator("#problems").count() == 0
    assert tab.evaluate("document.activeElement.closest('tr')?.id") == "service-api-server"
    ids = tab.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


def test_new_runs_appear(stage, visit):
    stage.write(stage.healthy())
    stage.start_page()
    tab = visit()
    tab.wait_for_selector("#runs .item")
    runs = stage.airflow.routes["/api/v2/dags/~/dagRuns"]["dag_runs"]
    runs.insert(0, {**runs[1], "dag_id": "fresh_dag", "dag_run_id": "manual__fresh", "state": "failed"})
    tab.wait_for_function("() => document.querySelector('#runs .item').textContent.includes('fresh_dag')")
    assert "The last run of fresh_dag failed." in tab.locator("#problems").inner_text()
    link = tab.get_by_role("link", name="Open the run to see which task")
    assert link.get_attribute("href") == f"{stage.airflow.url}/dags/fresh_dag/runs/manual__fresh"
    headline(tab, "Everything is running")


def test_a_lost_connection_is_said_and_found_again(stage, visit):
    stage.write(stage.healthy())
    stage.start_page()
    tab = visit()
    stage.stop_page()
    tab.wait_for_selector("#connection[data-state=lost]")
    assert "Connection lost, trying again" in tab.locator("#connection").inner_text()
    assert tab.locator("#connection").get_attribute("role") == "status"
    headline(tab, "Everything is running")  # what was known stays readable
    stage.start_page()
    tab.wait_for_selector("#connection[data-state=live]")
    assert tab.locator("#connection").inner_text() == "Live"


def test_without_javascript_the_page_is_complete(stage, visit, with_service):
    state = stage.healthy()
    stage.write(mlflow_down(state, with_service))
    stage.start_page()
    tab = visit(java_script_enabled=False)
    assert tab.locator("#headline").inner_text() == "MLflow is down"
    assert "airfoil logs mlflow" in tab.locator("#problems").inner_text()
    assert "Reloads by itself" in tab.locator("#connection").inner_text()
    assert tab.locator("noscript meta[http-equiv=refresh]").count() == 1


def test_hostile_names_run_nothing(stage, visit, with_service):
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    state = with_service(stage.healthy(), "mlflow", title=hostile, state="unhealthy", detail=hostile)
    runs = stage.airflow.routes["/api/v2/dags/~/dagRuns"]["dag_runs"]
    runs[0] |= {"dag_id": hostile, "run_type": hostile, "state": hostile}
    stage.write(state)
    stage.start_page()
    tab = visit()
    tab.wait_for_selector("#runs .item")
    assert hostile in tab.locator("#runs").inner_text()
    assert hostile in tab.locator("#headline").inner_text()
    assert tab.locator("main img, main script").count() == 0


def test_the_keyboard_reaches_everything(stage, visit):
    stage.write(stage.healthy())
    stage.start_page()
    tab = visit()
    tab.wait_for_selector("#models .item")
    seen = []
    for _ in range(4):
        tab.keyboard.press("Tab")
        seen.append(tab.evaluate("document.activeElement.textContent"))
    assert seen[0] == "Skip to services"
    assert seen[1] == stage.airflow.url.removeprefix("http://")
    headings = tab.get_by_role("heading").all_inner_texts()
    panels = ["Services", "DAG runs", "MLflow runs", "Model versions", "DAG checks"]
    assert headings == ["Everything is running", *panels]
    assert tab.get_by_role("row").count() == 10
    assert tab.locator("[role=status][aria-live=polite] h1").count() == 1


def test_times_tick_in_the_words_of_the_server(stage, visit):
    stage.write(stage.healthy())
    stage.start_page()
    tab = visit()
    ages = [0, 3, 7, 45, 61, 185, 3600, 8040, 86399, 86400, 273600]
    tab.evaluate(
        """(ages) => {
          for (const say of ["ago", "lasting"]) for (const age of ages) {
            const time = document.createElement("time");
            Object.assign(time.dataset, { say, at: String(Date.now() / 1000 - age - 0.2), mine: `${say} ${age}` });
            time.dateTime = new Date().toISOString();
            document.body.append(time);
          }
        }""",
        ages,
    )
    tab.wait_for_function("() => [...document.querySelectorAll('[data-mine]')].every((e) => e.textContent)")
    said = tab.evaluate(
        "[...document.querySelectorAll('[data-mine]')].map((e) => [e.dataset.mine, e.textContent])"
    )
    for name, text in said:
        kind, age = name.split()
        say = wording.ago if kind == "ago" else wording.duration
        assert text in {say(int(age)), say(int(age) + 1)}
