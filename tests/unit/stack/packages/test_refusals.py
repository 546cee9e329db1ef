"""uv's own words, as it printed them, in ours."""

from __future__ import annotations

import pytest

from airfoil.errors import (
    ConfigurationError,
    NeighbourError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StorageError,
)
from airfoil.stack.packages.refusals import explain

pytestmark = pytest.mark.unit

PINS = {"sqlalchemy": ("2.1.9",), "pydantic": ("2.14.3",), "numpy": ("2.4.6", "2.5.5"), "pyyaml": ("6.0.3",)}
NO = "error: No solution found when resolving dependencies\n  cause: "
TRANSITIVE = f"""{NO}Because sqlmodel==0.0.8 depends on sqlalchemy>=1.4.17,<=1.4.41 and sqlalchemy==2.1.9,
         we can conclude that sqlmodel==0.0.8 cannot be used.
         And because you require sqlmodel==0.0.8, we can conclude that your requirements are unsatisfiable."""
BOXED = """\
  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because sqlmodel==0.0.8 depends on sqlalchemy>=1.4.17,<=1.4.41 and
      sqlalchemy==2.1.9, we can conclude that sqlmodel==0.0.8 cannot be used.
"""
RANGE = f"""{NO}Because kedro<=0.15.9 depends on sqlalchemy>=1.2.0,<2.0 and sqlalchemy==2.1.9,
         we can conclude that kedro<=0.15.9 cannot be used.
         And because only the following versions of kedro are available:
             kedro<=0.15.9
             kedro>=0.16.0
         we can conclude that kedro<0.16.0 cannot be used. (1)
         Because kedro>=0.16.0,<=0.17.7 depends on pyyaml>=4.2,<6.0 and pyyaml==6.0.3,
         we can conclude that kedro>=0.16.0,<=0.17.7 cannot be used."""
PROPAGATED = f"""{NO}Because sqlmodel<=0.0.2 depends on sqlalchemy2-stubs>=0.0.2a5 and sqlalchemy2-stubs<0.0.2,
         which are incompatible and sqlmodel>=0.0.3,<=0.0.9 depends on pydantic>=1.8.2,<2.0.0,
         we can conclude that sqlmodel<=0.0.9 depends on pydantic>=1.8.2,<2.0.0.
         And because you require pydantic==2.14.3 and sqlmodel<0.0.10, we can conclude that your requirements
         are unsatisfiable."""
SPLIT = """error: No solution found when resolving dependencies for split (markers: python_full_version >= '3.12')
  cause: Because you require numpy<2 and numpy{python_full_version >= '3.12'}==2.5.5, we can conclude that
         your requirements are unsatisfiable."""
ALL = f"""{NO}Because all versions of zz-relic depend on pydantic<2 and pydantic==2.14.3, we can conclude that
         all versions of zz-relic cannot be used.
         And because all versions of zz-museum depend on zz-relic and you require zz-museum, no."""
MUSEUM = "zz-relic, which zz-museum needs, itself needs pydantic<2, but the platform is tested with pydantic 2.14.3"


@pytest.mark.parametrize(
    ("said", "asked", "sentence", "apart"),
    [
        (
            TRANSITIVE,
            ["a", "sqlmodel==0.0.8"],
            "sqlmodel==0.0.8 needs sqlalchemy>=1.4.17,<=1.4.41, but the platform is tested with sqlalchemy 2.1.9",
            "sqlmodel 'sqlmodel==0.0.8'",
        ),
        (
            BOXED,
            ["sqlmodel==0.0.8"],
            "sqlmodel==0.0.8 needs sqlalchemy>=1.4.17,<=1.4.41, but the platform is tested with sqlalchemy 2.1.9",
            "sqlmodel 'sqlmodel==0.0.8'",
        ),
        (
            RANGE,
            ["Kedro<0.18"],
            "kedro>=0.16.0,<=0.17.7 needs pyyaml>=4.2,<6.0, but the platform is tested with pyyaml 6.0.3",
            "kedro 'Kedro<0.18'",
        ),
        (
            PROPAGATED,
            ["sqlmodel<0.0.10", "pydantic>=2.5"],
            "sqlmodel>=0.0.3,<=0.0.9 needs pydantic>=1.8.2,<2.0.0, but the platform is tested with pydantic 2.14.3",
            "sqlmodel 'sqlmodel<0.0.10'",
        ),
        (
            SPLIT,
            ["numpy<2"],
            "You ask for numpy<2, but the platform is tested with numpy 2.4.6 or 2.5.5",
            "numpy 'numpy<2'",
        ),
        (
            ALL,
            ["zz-museum"],
            MUSEUM,
            "zz-museum 'zz-museum'",
        ),
    ],
)
def test_a_conflict_names_both_sides_and_the_way_out(said, asked, sentence, apart):
    error = explain(said, asked, PINS)

    assert isinstance(error, ConfigurationError)
    assert error.message.startswith(sentence)
    assert error.message.count(". ") == 0, "one sentence"
    assert error.next_move == f"Keep it apart: `airfoil add --environment {apart}`."


def test_the_part_of_the_platform_that_forbids_it_is_named():
    error = explain(f"{NO}Because you require pydantic<2 and pydantic==2.14.3, no.", ["pydantic<2"], PINS)
    assert "(apache-airflow-core needs pydantic>=2" in error.message


def test_packages_that_do_not_fit_each_other_are_not_blamed_on_the_platform():
    error = explain(f"{NO}Because a==1 depends on b<2 and you require b>=2, no.", ["a==1", "b>=2"], PINS)
    assert error.message == "These packages do not fit together."
    assert error.details == ("Because a==1 depends on b<2 and you require b>=2, no.",)


LOGIN = """error: Failed to fetch: https://me:secret@index.corp:8443/simple/x/
  cause: HTTP status client error (401 Unauthorized) for url (https://index.corp:8443/simple/x/)"""
FETCH = "error: Failed to fetch: https://pypi.org/simple/cowsay/\n  cause: "


@pytest.mark.parametrize(
    ("said", "kind", "sentence"),
    [
        (f"{FETCH}dns error\n", ServiceUnreachableError, "The package index pypi.org cannot be reached."),
        (
            f"{FETCH}operation timed out",
            ServiceUnreachableError,
            "The package index pypi.org cannot be reached.",
        ),
        (
            "hint: Packages were unavailable because the network was disabled.",
            ServiceUnreachableError,
            "The package index cannot be reached.",
        ),
        (
            LOGIN,
            ServiceRefusedError,
            "The package index index.corp:8443 refuses us (401 Unauthorized).",
        ),
        (
            f"{FETCH}HTTP status server error (503 Service Unavailable) for url (https://pypi.org/simple/x/)",
            ServiceAnswerError,
            "The package index pypi.org answers 503 Service Unavailable.",
        ),
        (
            f"{NO}Because cowsayx was not found in the package registry and you require cowsayx, no.",
            NotFoundError,
            "The package index has no package cowsayx.",
        ),
        (
            f"{NO}Because there is no version of cowsay==99 and you require cowsay==99, no.",
            NotFoundError,
            "The package index has no cowsay==99.",
        ),
        (
            "error: Failed to build `old-thing==1.0`\n  boom",
            NeighbourError,
            "old-thing==1.0 comes as source only",
        ),
        (
            "error: The interpreter is externally managed",
            ConfigurationError,
            "This Python belongs to the system",
        ),
        (
            "error: failed to create /x: Permission denied (os error 13)",
            StorageError,
            "uv could not write: Permission",
        ),
        (
            "Hash mismatch for `a==1.0`\n\nExpected:\n  sha256:1",
            ConfigurationError,
            "a==1.0 is not the file that",
        ),
        ("error: something new\nsecond line", NeighbourError, "uv could not do it: something new."),
        ("", NeighbourError, "uv could not do it: it gave no reason."),
    ],
)
def test_every_kind_of_refusal_has_its_sentence(said, kind, sentence):
    error = explain(said, ["cowsay"], PINS)

    assert type(error) is kind
    assert error.message.startswith(sentence)
    assert error.next_move
    assert "secret" not in f"{error.message} {error.next_move} {error.details}"


def test_a_python_that_does_not_fit():
    said = f"""{NO}Because the requested Python version (>=3.11) does not satisfy Python>=3.13
         and new-thing==2 depends on Python>=3.13, no."""
    assert explain(said, ["new-thing==2"], PINS).message == (
        "new-thing==2 needs Python>=3.13, and the project allows others."
    )
