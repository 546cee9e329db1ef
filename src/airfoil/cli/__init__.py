"""The command line: arguments, printing and exit codes. Nobody imports this package.

This file must stay tiny: it is what every shell prompt completion and `airfoil --help` pays for first.
"""


def main() -> None:
    """Run `airfoil` with the arguments of this process."""
    import sys

    from airfoil.cli.entry import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))
