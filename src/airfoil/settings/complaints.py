"""Words for what is wrong with settings: the place, what was expected, the nearest name that exists.

Values are shown short, on one line and without passwords. Must not read anything and raise nothing itself.
"""

import difflib
from collections.abc import Iterable, Mapping

from airfoil.errors import SettingsError, redact
from airfoil.settings.schema import DOTTED_KEYS, KEYS, NAMED_TABLES, SECTIONS

_SHOWN_CHARACTERS = 60
_SHOWN_ITEMS = 5
_AIRFLOWS_OWN = " An option of Airflow itself stands below its section, such as [airflow.core]."


def unknown_section(place: str, name: str) -> SettingsError:
    """Say that [name] does not exist."""
    known = (*SECTIONS, *NAMED_TABLES)
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    meant = f"Did you mean [{close[0]}]? " if close else ""
    return SettingsError(
        f"{place}: there is no section [{printable(name)}].", f"{meant}Sections: {', '.join(known)}."
    )


def unknown_key(place: str, section: str, key: str) -> SettingsError:
    """Say that a key does not exist; `section` is empty for a key above all sections."""
    dotted = f"{section}.{key}" if section else key
    nearest = _nearest_key(section, key.lower())
    meant = f"Did you mean {nearest}? " if nearest else ""
    known = (
        f"Keys of [{section}]: {', '.join(KEYS[section])}.{_AIRFLOWS_OWN if section == 'airflow' else ''}"
        if section
        else f"Sections: {', '.join(SECTIONS)}."
    )
    return SettingsError(f"{place}: there is no setting {printable(dotted)}.", f"{meant}{known}")


def _nearest_key(section: str, key: str) -> str:
    """Return the likeliest name: in the same section, the same key elsewhere, or alike when no section is named."""
    own = difflib.get_close_matches(key, KEYS.get(section, ()), n=1, cutoff=0.6)
    if own:
        return f"{section}.{own[0]}"
    elsewhere = [dotted for dotted in DOTTED_KEYS if dotted.partition(".")[2] == key]
    if elsewhere:
        return " or ".join(elsewhere)
    close = [] if section else difflib.get_close_matches(key, DOTTED_KEYS, n=1, cutoff=0.5)
    return close[0] if close else ""


def not_a_section(place: str, name: str, value: object) -> SettingsError:
    """Say that a section's name was given a value."""
    return SettingsError(
        f"{place}: {name} must be one section with keys below it, not {shown(value)}.",
        f"Write [{name}] on a line of its own, and its keys below.",
    )


def wrong_value(place: str, dotted: str, value: object, problem: Mapping[str, object]) -> str:
    """Return `PLACE: airflow.port must be a whole number from 1 to 65535, not 70000.`."""
    section, key = dotted.split(".")
    field = SECTIONS[section].model_fields[key]
    expected = field.description
    context = problem.get("ctx")
    if problem["type"] == "value_error" and isinstance(context, Mapping):
        expected = str(context["error"])
    if not field.repr:  # a secret, even where it is wrong
        return f"{place}: {dotted} must be {expected}."
    return f"{place}: {dotted} must be {expected}, not {shown(value)}."


def unknown_entry(place: str, table: str, key: str, known: Iterable[str]) -> SettingsError:
    """Say that a table whose name the user chose has no such key."""
    close = difflib.get_close_matches(key.lower(), known := tuple(known), n=1, cutoff=0.6)
    meant = f"Did you mean {close[0]}? " if close else ""
    return SettingsError(
        f"{place}: there is no setting {printable(f'{table}.{key}')}.",
        f"{meant}Keys of [{printable(table)}]: {', '.join(known)}.",
    )


def wrong_entry(place: str, dotted: str, expected: str, value: object) -> SettingsError:
    """Say what a value below a name that the user chose must be."""
    return SettingsError(
        f"{place}: {printable(dotted)} must be {expected}, not {shown(value)}.",
        "Correct the value, or delete it to get the default.",
    )


def shown(value: object) -> str:
    """Return a value as it may be printed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        more = ", ..." if len(value) > _SHOWN_ITEMS else ""
        return f"[{', '.join(shown(item) for item in value[:_SHOWN_ITEMS])}{more}]"
    try:
        text = printable(redact(str(value)))
    except ValueError:  # a whole number of thousands of digits cannot even be printed
        return "a huge number"
    return f'"{text}"' if isinstance(value, str) else text


def printable(text: str) -> str:
    """Return text for a terminal: one line, no control characters, short."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return plain if len(plain) <= _SHOWN_CHARACTERS else f"{plain[:_SHOWN_CHARACTERS]}..."
