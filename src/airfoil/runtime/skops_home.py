"""Loads skops for tasks, which takes 13 s beside Airflow unless scipy's functions first say where they live.

A module, because the pre-loaded parent imports modules and nothing else. It must not do anything but that.
"""

from airfoil.clients.model_files import name_homes_of_scipy_functions

name_homes_of_scipy_functions()

import skops.io  # noqa: E402, F401 - only now is its import quick
