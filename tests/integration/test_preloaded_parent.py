"""A real pre-loaded parent: what a forked service is, what outlives what, and that what we load survives a fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from tests.integration.airflow_home import AirflowHome

from airfoil.settings import Settings
from airfoil.settings.schema import StackSettings
from airfoil.stack import process, services
from airfoil.stack.project import Project
from airfoil.stack.secrets import Secrets

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="services are forked on Linux only"),
]

ROOT = Path(__file__).parents[2]

# Writes down what a service sees of itself, then ends as its first argument says.
FACTS = """
import gc, json, os, signal, sys, time
until = time.monotonic() + 10  # it may run before the one that forked it has ended and left it to its manager
while os.getppid() != int(os.environ["MANAGER"]) and time.monotonic() < until:
    time.sleep(0.01)
facts = {
    "name": __name__, "argv": sys.argv[1:], "pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0),
    "given": os.environ.get("GIVEN"), "inherited": os.environ.get("INHERITED"),
    "files": sorted(int(n) for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")),
    "stdin": os.readlink("/proc/self/fd/0"), "loaded": "http.server" in sys.modules, "collects": gc.isenabled(),
    "frozen": gc.get_freeze_count() > 0, "folder": os.getcwd(),
    "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
}
print("on stderr", file=sys.stderr)
print(json.dumps(facts))
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def scene(tmp_path):
    """Runs a scene in a process of its own, with small modules beside it; what it printed as JSON."""
    mark = f"parent-test-{os.getpid()}-{tmp_path.name}"
    environment = os.environ | {
        process.STACK_MARK: mark,
        "INHERITED": "yes",
        "PYTHONPATH": os.pathsep.join(
            [str(tmp_path), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
    }

    def play(body: str, /, **modules: str):
        for name, code in modules.items():
            (tmp_path / f"{name}.py").write_text(code)
        program = f"import json, os, signal, time\nfrom tests.integration.manager_side import here\nme = here()\n{body}"
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout)

    yield play
    process.sweep(mark)


def test_a_forked_service_is_as_if_started_by_its_manager(scene, tmp_path):
    found = scene(
        """
parent = me.launch({"one": ("http.server",)})
answer = me.ask(parent, "facts", "7", "--x", layer="one", GIVEN="ü", MANAGER=str(os.getpid()))
code = me.end_of(answer["pid"])
said = me.said("facts").splitlines()
print(json.dumps({"me": os.getpid(), "preload": parent.pid, "answer": answer, "code": code, "said": said}))
""",
        facts=FACTS,
    )
    assert found["answer"]["started"] == "facts"
    assert found["code"] == 7
    assert "on stderr" in found["said"]
    facts = json.loads(found["said"][-1])
    assert facts["name"] == "__main__"
    assert facts["argv"] == ["7", "--x"]
    assert facts["pid"] == found["answer"]["pid"] == facts["session"]
    assert facts["parent"] == found["me"], "the manager sees it end, not the parent"
    assert (facts["given"], facts["inherited"]) == ("ü", "yes")
    assert facts["loaded"], "what the layer loaded is there before the service begins"
    assert set(facts["files"]) <= {0, 1, 2, 3}, (
        "no socket of the parent's is left open (3 is the list itself)"
    )
    assert facts["stdin"] == "/dev/null"
    assert facts["collects"]
    assert facts["frozen"]
    assert facts["term"]
    assert facts["folder"] == str(tmp_path)


def test_it_ends_as_a_started_module_would(scene):
    found = scene(
        """
parent = me.launch()
found = {}
for name in ("well", "text", "broken", "lacks", "none", "thread"):
    found[name] = (me.end_of(me.ask(parent, name)["pid"]), me.said(name) if name != "none" else "")
print(json.dumps(found))
""",
        well="print('done')",
        text="import sys; sys.exit('no database')",
        broken="raise ValueError('boom')",
        lacks="import airflow_of_another_release",
        none="import sys; sys.exit(None)",
        thread="import threading\nthreading.Timer(0.2, print, args=['finished']).start()",
    )
    assert found["well"] == [0, "done\n"]
    assert found["text"] == [1, "no database\n"]
    assert found["broken"][0] == 1
    assert found["broken"][1].endswith("ValueError: boom\n")
    assert found["lacks"][0] == 97, "a module that this release does not have means: use the plain command"
    assert found["none"][0] == 0
    assert found["thread"] == [0, "finished\n"], "its threads are waited for"


def test_it_ends_with_its_manager_and_its_services_do_not(scene):
    found = scene(
        """
parent = me.launch()
pid = me.ask(parent, "sleeper")["pid"]
parent.close()
code = me.end_of(parent.pid)
time.sleep(0.1)
alive = me.parent_of(pid) == os.getpid()
os.kill(pid, 9)
print(json.dumps({"parent": code, "alive": alive, "log": me.log.read_text()}))
""",
        sleeper="import time; time.sleep(60)",
    )
    assert (found["parent"], found["alive"]) == (0, True)
    assert "the manager is gone" in found["log"]


def test_a_killed_parent_leaves_its_services_and_a_new_one_takes_its_place(scene):
    found = scene(
        """
first = me.launch()
old = me.ask(first, "sleeper")["pid"]
os.kill(first.pid, 9)
code = me.end_of(first.pid)
second = me.launch()
new = me.ask(second, "sleeper")["pid"]
print(json.dumps({"code": code, "old": me.parent_of(old) == os.getpid(), "new": me.parent_of(new) == os.getpid()}))
""",
        sleeper="import time; time.sleep(60)",
    )
    assert found == {"code": -9, "old": True, "new": True}


def test_a_module_that_cannot_be_loaded_is_skipped(scene):
    found = scene(
        """
parent = me.launch({"one": ("no_such_module", "broken", "good")})
answer = me.ask(parent, "asks", layer="one")
me.end_of(answer["pid"])
print(json.dumps({"said": me.said("asks"), "log": me.log.read_text()}))
""",
        broken="1/0",
        good="",
        asks="import sys; print('good' in sys.modules)",
    )
    assert found["said"] == "True\n"
    assert "preload: skipped no_such_module: ModuleNotFoundError" in found["log"]
    assert "preload: skipped broken: ZeroDivisionError" in found["log"]


def test_it_refuses_to_fork_beside_a_thread(scene):
    found = scene(
        """
parent = me.launch({"one": ("threaded",)})
print(json.dumps(me.ask(parent, "sleeper", layer="one")))
""",
        threaded="import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        sleeper="",
    )
    assert found["refused"] == "sleeper"
    assert "started a thread" in found["reason"]


def test_two_forks_do_not_share_their_random_numbers(scene):
    found = scene(
        """
parent = me.launch({"one": ("numpy", "random")})
for name in ("one", "two"):
    me.end_of(me.ask(parent, name, layer="one")["pid"])
print(json.dumps([me.said("one").split(), me.said("two").split()]))
""",
        one="import numpy, random; print(numpy.random.rand(), random.random())",
        two="import numpy, random; print(numpy.random.rand(), random.random())",
    )
    assert found[0][0] != found[1][0]
    assert found[0][1] != found[1][1]


# What tasks do with what was loaded before they were forked: threads of several kinds, all of them in the child.
WORK = """
import json, sys, threading
names = ("mlflow", "sklearn.ensemble", "pandas", "airflow.executors.local_executor")
before = {name: name in sys.modules for name in names}
import numpy, pandas, pyarrow, pyarrow.parquet
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
data = load_iris(as_frame=True).frame
data.to_parquet("iris.parquet")
assert pandas.read_parquet("iris.parquet").equals(data)
table = pyarrow.parquet.read_table("iris.parquet", use_threads=True)
X, y = table.to_pandas().drop(columns="target"), data["target"]
forest = RandomForestClassifier(10, n_jobs=2, random_state=0).fit(X, y)
boosted = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(X, y)
across = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=2, n_jobs=2)
square = numpy.random.rand(600, 600)
whole = numpy.allclose(square @ numpy.linalg.inv(square), numpy.eye(600), atol=1e-5)
scores = [forest.score(X, y), boosted.score(X, y), across.mean()]
print(json.dumps({"before": before, "scores": scores, "whole": bool(whole)}))
"""


def test_everything_that_we_load_exists_starts_no_thread_and_works_in_a_fork(scene, tmp_path, monkeypatch):
    keys = Secrets(**{key.name: "x" * 16 for key in fields(Secrets)})
    settings = Settings(stack=StackSettings(engine="preloaded"))
    ports = {"airflow": 1, "mlflow": 2, "page": 3}
    layers = services.specification(settings, Project(tmp_path), keys, ports).preload
    for name, value in AirflowHome(tmp_path / "home").environment.items():
        monkeypatch.setenv(name, value)
    found = scene(
        f"""
for name, value in {dict(os.environ)!r}.items():
    if name.startswith("AIRFLOW"):
        os.environ[name] = value
parent = me.launch({dict(layers)!r})
answer = me.ask(parent, "work", layer={list(layers)[-1]!r})
assert "pid" in answer, answer
code = me.end_of(answer["pid"])
print(json.dumps({{"code": code, "said": me.said("work"), "log": me.log.read_text()}}))
""",
        work=WORK,
    )
    assert found["code"] == 0, found["said"][-3000:]
    # joblib's helper processes may still grumble after the last line of the work itself
    said = json.loads(next(line for line in found["said"].splitlines() if line.startswith("{")))
    assert said["before"] == dict.fromkeys(said["before"], True)
    assert min(said["scores"]) > 0.9
    assert said["whole"]
    skipped = [line for line in found["log"].splitlines() if line.startswith("preload: skipped")]
    assert skipped == [], "a name that no longer exists makes every start slower"
