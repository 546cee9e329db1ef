"""Changes single values of airfoil.toml and leaves everything else as a person wrote it: order, comments, spaces.

Text in, text out. Must not read or write a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airfoil.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping


def with_values(text: str, section: str, values: Mapping[str, Any]) -> str:
    """Return the text with these keys of a section set; None takes a key out."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = tomlkit.parse(text)
        if section not in document:
            document.append(section, tomlkit.table())
        for key, value in values.items():
            if value is not None:
                document[section][key] = value
            elif key in document[section]:
                document[section].remove(key)
        return str(tomlkit.dumps(document))
    except TOMLKitError as error:
        raise SettingsError(
            f"airfoil.toml cannot be changed: {error}.", "Mend it by hand, then try again."
        ) from error
