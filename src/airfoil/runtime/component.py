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
        from airfoil.runtime import asset_queue, succession

        succession.declare_predecessors_dead()
        asset_queue.hold_while_read()
    if sys.argv[1:2] == ["api-server"]:
        from airfoil.runtime import action_log, warmup

        action_log.commit_in_a_thread()
        warmup.build_api()
    sys.argv[0] = "airflow"
    if sys.argv[1:] == ["dag-processor"] and _process_dags():
        return
    from airflow.__main__ import main as airflow_main

    airflow_main()


def _process_dags() -> bool:
    """Run our own DAG processor; False when this Airflow does not offer what it needs."""
    from airfoil.runtime import dag_processor

    if lacking := dag_processor.unsupported():
        print(f"files are looked for instead of watched: this Airflow lacks {lacking}", file=sys.stderr)
        return False
    dag_processor.run()
    return True


if __name__ == "__main__":
    main()
