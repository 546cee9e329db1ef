"""The 265 taxi zones of New York, in groups that one can look at: boroughs, airports, and the unknown.

As in the city's `taxi_zone_lookup.csv`, one letter for each zone from 1 on. Must not know a trip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BOROUGHS = (
    "EQBMSSQQQQKMMKQQKBQBKKSMKKQQKQBBKKKKKQKKMMMSMBBMKM"
    "BKQKKQQBBBKKKQKKKMBQKKQMMKKBMKBQQSKQMMKMKQQBQQKQSM"
    "QQMMMKMKSSKKMMSMQSBMQQKQMBMMQQQQKQQBMQQMMMMMQQBMKK"
    "MMMKKSQMBQMMMMKMBBBMQSQBQSKKQQKBBBBMSKKKQQQMKQQQBB"
    "QMQSQSQBMKMBBSQQKQQBSKQMKQKKMMMMMMBMMMMBBBMMSMBBMB"
    "SQQBKKKQBQMMMUU"
)
_AIRPORTS = (1, 132, 138)  # Newark, JFK, LaGuardia: trips to them are like no others
_NAMES = {
    "M": "Manhattan",
    "Q": "Queens",
    "K": "Brooklyn",
    "B": "Bronx",
    "S": "Staten Island",
    "A": "Airports",
    "U": "Unknown",
}
ZONE_GROUPS = tuple(_NAMES.values())
LAST_ZONE = len(_BOROUGHS)


def zone_group(zone: int) -> str:
    """Return the group of a zone; one that is not on the list is unknown."""
    if zone in _AIRPORTS:
        return _NAMES["A"]
    return _NAMES[_BOROUGHS[zone - 1]] if 1 <= zone <= LAST_ZONE else _NAMES["U"]


def group_numbers(zones: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Return for each zone the place of its group in ZONE_GROUPS."""
    import numpy as np

    table = np.array([ZONE_GROUPS.index(zone_group(zone)) for zone in range(LAST_ZONE + 2)], dtype=np.intp)
    # What is on no list has the last place of the table, which is one of the unknown.
    return table[np.where((zones < 1) | (zones > LAST_ZONE), LAST_ZONE + 1, zones)]
