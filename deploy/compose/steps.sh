#!/bin/sh
# What install.sh and verify.sh share: steps that are told, values of .env, waiting. Read by them, not run.
set -eu

COMPOSE=${COMPOSE:-docker compose}
WAIT_SECONDS=${WAIT_SECONDS:-300}

step() { printf '%-64s' "$1 ..."; }
done_with() { echo "ok: $1"; }
warn() { printf '\n  note: %s\n  ' "$1"; }

# fail WHY WHAT-HELPS
fail() {
  echo "FAILED"
  echo "  $1" >&2
  echo "  $2" >&2
  exit 1
}

# run WHY WHAT-HELPS COMMAND...: quiet while it goes well
run() {
  why=$1 help=$2
  shift 2
  said=$("$@" 2>&1) && return 0
  printf '%s\n' "$said" | tail -n 25 >&2
  fail "$why" "$help"
}

# value_of NAME: as Compose reads it from .env: blanks round it and a comment behind it are no part of it, quotes end it, and
# between double quotes a backslash means something. An empty line is an empty value.
value_of() {
  awk -v name="$1" '
    { sub(/^[ \t]+/, ""); sub(/^export[ \t]+/, "") }
    index($0, name) == 1 && substr($0, length(name) + 1) ~ /^[ \t]*=/ { text = $0; sub(/^[^=]*=[ \t]*/, "", text) }
    END {
      quote = substr(text, 1, 1)
      if (quote != "\"" && quote != "\047") {
        comment = index(text, " #")
        if (comment) text = substr(text, 1, comment - 1)
        sub(/[ \t\r]+$/, "", text)
        gsub(/\$\$/, "$", text)
        print text
        exit
      }
      meant["n"] = "\n"; meant["t"] = "\t"; meant["r"] = "\r"; meant["\""] = "\""; meant["\\"] = "\\"; meant["$"] = "$"
      for (at = 2; (sign = substr(text, at, 1)) != quote && sign != ""; at++) {
        next_one = substr(text, at + 1, 1)
        if (quote == "\047") { if (sign == "\\" && next_one == quote) { sign = quote; at++ } }
        else if (sign == "\\" && next_one in meant) { sign = meant[next_one]; at++ }
        else if (sign == "$" && next_one == "$") at++
        said = said sign
      }
      print said
    }' .env
}

# closed USER FOLDER...: the first things in there that neither this user (none, if empty) nor everybody may read
closed() {
  reader=$1
  shift
  find -L "$@" \( ! -perm -o+r -o -type d ! -perm -o+x \) ${reader:+! -user "$reader"} 2> /dev/null | head -n 3
}

# mounted dags|plugins: the folder that containers have under this name; airfoil.toml may call it otherwise
mounted() {
  folder=$(sed -n "s|^ *- '\{0,1\}\(.*\):/opt/airfoil/project/$1:ro'\{0,1\}\$|\1|p" compose.override.yaml | head -n 1)
  case $folder in
    "") echo "$(value_of AIRFLOW_PROJ_DIR)/$1" ;;
    '${AIRFLOW_PROJ_DIR'*) echo "$(value_of AIRFLOW_PROJ_DIR)${folder#*\}}" ;;
    *) echo "$folder" ;;
  esac
}

# listens PORT: does something on this machine?
listens() {
  hexadecimal=$(printf '%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | awk -v port=":$hexadecimal" \
    '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
}

# state_of SERVICE: "healthy", "running", "starting", "exited 0", ...; of several containers the worst
state_of() {
  for container in $($COMPOSE ps --all --quiet "$1" 2> /dev/null); do
    docker inspect --format \
      '{{if eq .State.Status "running"}}{{if .State.Health}}{{.State.Health.Status}}{{else}}running{{end}}{{else}}{{.State.Status}} {{.State.ExitCode}}{{end}}' \
      "$container"
  done | awk '
    BEGIN { worst = 0; text = "absent" }
    { rank = ($0 == "healthy") ? 1 : ($0 == "running") ? 2 : ($0 == "starting") ? 3 : 4 }
    rank > worst { worst = rank; text = $0 }
    END { print text }'
}

# wait_for SERVICE...: until each is well, or its last words
wait_for() {
  deadline=$(($(date +%s) + WAIT_SECONDS))
  for service in "$@"; do
    while :; do
      state=$(state_of "$service")
      case $state in healthy | running) break ;; esac
      if [ "$(date +%s)" -ge $deadline ]; then
        $COMPOSE logs --no-color --no-log-prefix --tail 20 "$service" >&2 || true
        fail "$service is $state after $WAIT_SECONDS s." "Its last words are above; \`$COMPOSE logs $service\` has all."
      fi
      sleep 1
    done
  done
}

# release_of_checkout: the version of the Airfoil that lies beside us as source; nothing in a project that has it as a package
release_of_checkout() { sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$root/src/airfoil/__init__.py" 2> /dev/null || true; }

# find_root: sets $root to the project: the nearest folder upwards with an airfoil.toml; empty without one
find_root() {
  root=$PWD
  while [ -n "$root" ] && [ ! -e "$root/airfoil.toml" ]; do root=${root%/*}; done
}

# find_airfoil: sets $root, $airfoil to an airfoil of this machine, and $release to what it, or the checkout, is. One of
# another version than the checkout would write its own files over those that are here.
find_airfoil() {
  find_root
  airfoil= release=$(release_of_checkout)
  for candidate in "${AIRFOIL:-}" "$(command -v airfoil || true)" "$root/.venv/bin/airfoil"; do
    [ -n "$candidate" ] || continue
    found=$([ -x "$candidate" ] && "$candidate" --version 2> /dev/null) && found=${found#airfoil } || {
      [ "$candidate" != "${AIRFOIL:-}" ] \
        || fail "AIRFOIL=$AIRFOIL cannot be run, seen from $PWD." "Name an airfoil by its whole path, or none."
      continue
    }
    if [ -z "$release" ] || [ "$found" = "$release" ]; then
      airfoil=$candidate release=$found
      return 0
    fi
    [ "$candidate" != "${AIRFOIL:-}" ] \
      || fail "AIRFOIL=$AIRFOIL is Airfoil $found, and this is a checkout of $release." "Name the one of this checkout, or none."
  done
}

# alerting: the connections by which people hear of runs, as setup.json has them. They hold passwords: to compare, not to show.
alerting() { sed -n -e '/^  "smtp_default": /,/^  }/p' -e '/^  "alerts_webhook": /,/^  }/p' setup.json 2> /dev/null || true; }

# render: after find_airfoil; writes .env and what belongs to it (what .env says is kept), with an airfoil of this machine or
# the one of an image of ours: the one that is there with --no-build, else one that is built now.
render() {
  [ -n "$root" ] || fail "There is no airfoil.toml in $PWD or above it." "A server belongs to a project: \`airfoil init DIR\`."
  if [ -n "$airfoil" ]; then
    run "\`airfoil deploy compose\` failed." "The lines above say why." "$airfoil" --project "$root" deploy compose "$PWD"
    return 0
  fi
  tag= base= named= authority=
  if [ -f .env ]; then
    tag=$(value_of AIRFOIL_TAG) base=$(value_of PYTHON_IMAGE) named=$(value_of AIRFLOW_IMAGE)
    authority=$(value_of LOGIN_CA_FILE)
  fi
  # It is read, and may lie outside the project. Without the file airfoil says what is wrong.
  if [ -f "$authority" ]; then
    authority=$(cd "$(dirname "$authority")" && pwd)/$(basename "$authority")
  else
    authority=
  fi
  if [ -n "${1:-}" ]; then
    image=${named:-airfoil/airflow:${release:-$tag}}
    docker image inspect "$image" > /dev/null 2>&1 || fail "There is neither an airfoil on this machine nor the image $image." \
      "Bring the image, or leave out --no-build."
  else
    # No Python is needed here: the image that is built anyway has one. Without a checkout it is of the version that wrote .env.
    image=airfoil/airflow:first
    run "The image for \`airfoil deploy compose\` could not be built." "The lines above say why." \
      env DOCKER_BUILDKIT=1 docker build --quiet --target airflow --tag $image --file Dockerfile \
      ${base:+--build-arg "PYTHON_IMAGE=$base"} ${tag:+--build-arg "AIRFOIL_REQUIREMENT=airfoil==$tag"} "$root"
  fi
  run "\`airfoil deploy compose\` failed." "The lines above say why." \
    docker run --rm --user "$(id -u):$(id -g)" --volume "$root:$root" ${authority:+--volume "$authority:$authority:ro"} \
    --workdir "$root" --env HOME=/tmp \
    --env _AIRFLOW_WWW_USER_USERNAME --env _AIRFLOW_WWW_USER_PASSWORD --env AIRFLOW_UID --env AIRFLOW_PROJ_DIR \
    $(env | sed -n 's/^\(AIRFOIL_[A-Za-z0-9_]*\)=.*/--env \1/p') \
    "$image" airfoil deploy compose "$PWD"
}

# authority_file: where lies who has signed the server's certificate, if not every machine knows them: empty, a public one.
# What is left of another AIRFOIL_TLS counts no more.
authority_file() {
  case $(value_of AIRFOIL_TLS) in
    internal | "") echo ca.crt ;;
    own) folder=$(value_of AIRFOIL_TLS_FOLDER); echo "${folder:-./tls}/ca.crt" ;;
  esac
}

# ask PATH [CURL OPTION...]: the status of an answer from the proxy, as its name and certificate say; the body is in $body
ask() {
  path=$1
  shift
  port=$(value_of HTTPS_PORT) host=$(value_of AIRFOIL_HOST)
  address=127.0.0.1
  case $port in *:*) address=${port%:*} port=${port##*:} ;; esac
  authority=$(authority_file)
  [ -f "$authority" ] || authority=
  body=$(curl --silent --show-error --max-time 60 --noproxy '*' ${authority:+--cacert "$authority"} --resolve "$host:$port:$address" \
    --write-out '\n%{http_code}' "$@" "https://$host:$port$path" 2>&1) || true
  status=$(printf '%s' "$body" | tail -n 1)
  body=$(printf '%s\n' "$body" | sed '$d')
}

# log_in: a token of the first administrator, in a file that curl reads headers from ($pass); no argument shows a secret
log_in() {
  umask 077
  answer=$(mktemp) pass=$(mktemp)
  trap 'rm -f "$answer" "$pass"' EXIT
  printf '{"username": "%s", "password": "%s"}' "$(value_of _AIRFLOW_WWW_USER_USERNAME | sed 's/[\\"]/\\&/g')" \
    "$(value_of _AIRFLOW_WWW_USER_PASSWORD | sed 's/[\\"]/\\&/g')" > "$answer"
  ask /auth/token --header 'Content-Type: application/json' --data "@$answer"
  token=$(field access_token)
  [ -n "$token" ] || return 1
  # The first is for Airflow's API; the second is what a browser has after the login.
  printf 'Authorization: Bearer %s\n' "$token" > "$pass"
  printf 'Cookie: _token=%s\n' "$token" > "$answer"
  cookie=$answer
}

# field NAME: a text of the JSON in $body
field() { printf '%s' "$body" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }
