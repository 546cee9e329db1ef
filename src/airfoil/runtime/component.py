"""Runs one Airflow component (`scheduler`, `api-server`, ...) exactly as its command line would, tethered.

Works forked from the pre-loaded parent and started alone. The only things it leans on beside the public command line
are checked first; when one is missing it ends with exit code 97 and the stack starts the plain command.
"""

from __future__ import annotations

import sys

from airfoil.runtime import EXIT_UNSUPPORTED


def main() -> None:
    """Entry point: the arguments are those of `airflow`."""
    from airflow import settings

    refresh = [getattr(settings, name, None) for name in ("dispose_orm", "configure_orm")]
    if not all(callable(function) for function in refresh):
        print(
            "this Airflow has no settings.dispose_orm/configure_orm: starting the plain component",
            file=sys.stderr,
        )
        raise SystemExit(EXIT_UNSUPPORTED)
    from airfoil.runtime import tether

    tether.install(with_family=sys.argv[1:2] == ["scheduler"])
    # Connections opened by the parent must not be shared: each component begins with engines of its own.
    settings.dispose_orm(do_log=False)
    settings.configure_orm()
    if sys.argv[1:2] == ["scheduler"]:
        from airfoil.runtime import succession

        succession.declare_predecessors_dead()
    if sys.argv[1:2] == ["api-server"]:
        from airfoil.runtime import warmup

        warmup.build_api()
    sys.argv[0] = "airflow"
    from airflow.__main__ import main as airflow_main

    airflow_main()


if __name__ == "__main__":
    main()
