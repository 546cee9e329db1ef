"""What is written into .env, as Compose itself reads it: every sign of a secret survives."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml
from tests.deploy import engine

from airfoil.errors import SettingsError
from airfoil.stack.deploy import env_file, shipped

pytestmark = pytest.mark.deploy

VALUES = [
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "a b",
    " a #b",
    "$HOME $$ ${X} $(id) `id`",
    'it\'s "q" \\ \\\\ $HOME $$ ${X} #x %2F',
    "ends with a \\",
    "ends with two \\\\",
    "it's \\",
    "it's\\n",
    "\\'",
    "'a'",
    '"a"',
    '\\"',
    "two\nlines, it's $5",
    "a=b'c=d",
    "ü'ß€",
]


def test_compose_reads_every_value_as_it_was_given(tmp_path):
    given = {f"V{number}": value for number, value in enumerate(VALUES)}
    text = "".join(f"{name}={env_file.written(value)}\n" for name, value in given.items())
    (tmp_path / env_file.NAME).write_text(text, encoding="utf-8")
    service = {"image": "x", "environment": {name: f"${{{name}}}" for name in given}}
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump({"services": {"a": service}}), encoding="utf-8")
    found = json.loads(engine.Compose(tmp_path)("config", "--format", "json"))["services"]["a"]["environment"]
    # What it prints is a file of Compose again, in which a dollar is written twice.
    assert {name: value.replace("$$", "$") for name, value in found.items()} == given
    assert env_file.spoken_values(text) == given


def test_compose_and_we_read_alike_what_a_person_wrote(tmp_path):
    text = "A='a' # told\nB=\"b \\$5 $$6 \\t\" # told\nC=c#d # told\nD='it\\'s $5'\nE=\"it's\\\\\"\nF=f/g+h\n"
    text += "G='a'b\nH=\"a\"#c\nI=a\t#c\nJ='two\nlines'\nK=\"three\nZ=\n$$lines\"\nL=a$5-$\nexport M=#x\nN-o.p=1\n"
    env_file.check(text, env_file.values(text))
    (tmp_path / env_file.NAME).write_text(text, encoding="utf-8")
    service = {"image": "x", "environment": {name: f"${{{name}}}" for name in "ABCDEFGHIJKLM"}}
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump({"services": {"a": service}}), encoding="utf-8")
    found = json.loads(engine.Compose(tmp_path)("config", "--format", "json"))["services"]["a"]["environment"]
    ours = env_file.spoken_values(text)
    assert ours.pop("N-o.p") == "1", "a name that nobody can ask for"
    assert {name: value.replace("$$", "$") for name, value in found.items()} == ours


@pytest.mark.parametrize(
    "value", ["correct$horse", '"correct$horse"', "correct${horse}", "$$$horse", '"\\\\$horse"']
)
def test_what_we_refuse_compose_would_replace(tmp_path, value):
    text = f"A={value}\n"
    (tmp_path / env_file.NAME).write_text(text, encoding="utf-8")
    service = {"image": "x", "environment": {"A": "${A}"}}
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump({"services": {"a": service}}), encoding="utf-8")
    compose = engine.Compose(tmp_path, {"horse": "another"})
    found = json.loads(compose("config", "--format", "json"))["services"]["a"]["environment"]
    assert "another" in found["A"]
    with pytest.raises(SettingsError):
        env_file.check(text, {"A"})


def test_compose_and_the_scripts_read_alike_what_a_person_wrote(tmp_path):
    lines = [
        "V0=plain # told",
        "V1=plain \t ",
        "V2='a' # told",
        'V3="b \\\\$5 \\$5 $$6 \\t \\q \\n x"',
        "V4= # nothing",
        "V5=c#d",
        "V6=e\t# tab",
        "V7 = spaced",
        "  export V8=\tled",
        "V9='it\\'s $5'",
        'V10="a"#c',
        'V11=a "b" c',
        "V12=$$x",
        'V13=""',
        "V14=",
    ]
    (tmp_path / env_file.NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
    names = [f"V{number}" for number in range(len(lines))]
    service = {"image": "x", "environment": {name: f"${{{name}}}" for name in names}}
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump({"services": {"a": service}}), encoding="utf-8")
    found = json.loads(engine.Compose(tmp_path)("config", "--format", "json"))["services"]["a"]["environment"]
    steps = shipped.folder() / "compose" / "steps.sh"
    script = f". {steps}; for name in {' '.join(names)}; do value_of $name; printf '%s\\n' --; done"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    read = dict(zip(names, done.stdout.split("\n--\n"), strict=False))
    assert read == {name: found[name].replace("$$", "$") for name in names}
