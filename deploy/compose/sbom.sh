#!/bin/sh
# Writes what our images consist of, as CycloneDX 1.6 (JSON): Python, its packages, Debian's packages.
#
#   sh sbom.sh             into sbom/IMAGE.cdx.json beside this script, for the images that this server runs
#   sh sbom.sh FOLDER      into another folder
#
# Asks the images themselves, without a network. Images of others (PostgreSQL, Caddy, ...) come with lists of their own.
set -eu

caller=$PWD
cd "$(dirname "$0")"
. ./steps.sh

case ${1:-} in
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' sbom.sh; exit 0 ;;
  -*) echo "sbom.sh: $1 is no option; --help tells which there are." >&2; exit 2 ;;
  "") folder=sbom ;;
  /*) folder=$1 ;;
  *) folder=$caller/$1 ;;
esac
mkdir -p "$folder"

step "Images that this server runs"
used=$($COMPOSE config --images 2>&1) \
  || fail "The Compose files are not right: $used" "Write them anew: \`airfoil deploy compose\` in the project."
done_with "found"

# bill NAME VARIABLE
bill() {
  image=$(value_of "$2")
  [ -n "$image" ] || image=airfoil/$1:$(value_of AIRFOIL_TAG)
  step "$image"
  printf '%s\n' "$used" | grep -qxF "$image" || { echo "skipped: left out on this server"; return 0; }
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
