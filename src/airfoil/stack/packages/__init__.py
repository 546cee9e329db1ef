"""The packages that a project needs beside the platform: named in pyproject.toml, locked, installed by `up`.

    manifest      the lists in pyproject.toml, read and edited with comments kept
    constraints   the versions that the platform is tested with
    uv, refusals  the resolver and installer as a process, and its complaints in our words
    lock          airfoil.lock: exact versions, and what of it is not installed
    record        what we have installed before
    installation  brings this Python in line with the lock
    environments  virtualenvs apart from the platform, for packages that cannot live beside it
    changes       what `airfoil add` does, in one go or not at all

It must not print, and it imports none of the packages it manages.
"""
