"""The file that Airflow's user management reads its settings from (`[fab] config_file`); all of it comes from .env.

FAB executes it and takes the names in capital letters. Must hold no setting of its own.
"""

import os

from airfoil.runtime import logins

globals().update(logins.configuration(os.environ))
if os.environ.get("AIRFOIL_LOGIN", "database") not in {"", "database"}:
    from airfoil.runtime.directory_users import DirectoryUsers

    SECURITY_MANAGER_CLASS = DirectoryUsers
