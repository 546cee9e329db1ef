#!/bin/sh
# Puts Airfoil itself into an image, on top of its packages: uv and the wheel lie beside this, in a mount that no layer keeps.
set -eu
export PYC_INVALIDATION_MODE=UNCHECKED_HASH
exec "$(dirname "$0")/uv" pip install --quiet --no-cache --no-deps --compile-bytecode --link-mode copy \
  --python /opt/airfoil/venv -r "$(dirname "$0")/requirement.txt"
