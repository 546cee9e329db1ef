#!/bin/sh
# Writes what our images consist of, as CycloneDX 1.6 (JSON): Python, its packages, Debian's packages.
#
#   sh sbom.sh             into sbom/IMAGE.cdx.json, for the images that are built
#   sh sbom.sh FOLDER      into another folder
#
# Asks the images themselves, without a network. Images of others (PostgreSQL, Caddy, ...) come with lists of their own.
set -eu

cd "$(dirname "$0")"
. ./steps.sh

folder=${1:-sbom}
case $folder in
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
  -*) echo "sbom.sh: $folder is no option; --help tells which there are." >&2; exit 2 ;;
esac
mkdir -p "$folder"

# bill NAME VARIABLE
bill() {
  image=$(value_of "$2")
  [ -n "$image" ] || image=airfoil/$1:$(value_of AIRFOIL_TAG)
  step "$image"
  docker image inspect "$image" > /dev/null 2>&1 ||
    fail "There is no such image on this machine." "\`$COMPOSE build\` makes it."
  # Beside the old list until the new one is whole.
  docker run --rm --network none --entrypoint python "$image" -m airfoil.runtime.container.sbom --name "$image" > "$folder/$1.part" ||
    fail "The image could not be asked." "One of this release can: \`$COMPOSE build\`."
  mv "$folder/$1.part" "$folder/$1.cdx.json"
  done_with "$folder/$1.cdx.json, $(grep -c '"purl"' "$folder/$1.cdx.json") parts"
}

bill airflow AIRFLOW_IMAGE
bill mlflow MLFLOW_IMAGE
bill features FEATURES_IMAGE
bill status STATUS_IMAGE
