#!/bin/sh
# Installs the server in this folder, or brings it to another version: looks at the machine, writes files that are missing or
# of another version, builds, starts in order, waits, tries it out. Safe to run again. A step that fails says why, and what helps.
#
#   sh install.sh              do it all
#   sh install.sh --check      look at the machine and the files, change nothing
#   sh install.sh --no-build   with the images that are there
#
# COMPOSE names another Compose than `docker compose`; AIRFOIL another airfoil than the one on PATH.
set -eu

cd "$(dirname "$0")"
. ./steps.sh

check_only= build=yes
for argument in "$@"; do
  case $argument in
    --check) check_only=yes ;;
    --no-build) build= ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "install.sh: $argument is no option; --help tells which there are." >&2; exit 2 ;;
  esac
done

LEAST_MEMORY_MIB=5500
LEAST_DISK_MIB=15000
LEAST_PROCESSORS=2 # what compose.yaml lets one service have at most; Docker starts none that may have more than there is

# ---- the machine ----

step "Linux, Docker and Compose"
[ "$(uname -s)" = Linux ] || fail "This is $(uname -s)." "A server needs Linux; \`airfoil up\` works here."
command -v docker > /dev/null || fail "There is no docker." "Install it: https://docs.docker.com/engine/install/"
docker info > /dev/null 2>&1 || fail "The Docker engine does not answer." \
  "Start it (\`sudo systemctl start docker\`), and be in the group docker (\`sudo usermod -aG docker \$USER\`)."
version=$($COMPOSE version --short 2> /dev/null) || fail "There is no Compose." \
  "Install the plug-in: https://docs.docker.com/compose/install/linux/"
[ "$(printf '2.23\n%s\n' "${version#v}" | sort -V | head -n 1)" = 2.23 ] \
  || fail "Compose $version is too old." "2.23 or newer is needed."
command -v curl > /dev/null || fail "There is no curl." "Install it: \`sudo apt-get install curl\`"
done_with "Docker $(docker version --format '{{.Server.Version}}'), Compose ${version#v}"

step "Memory, processors, disk"
memory=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
disk=$(df -Pm "$(docker info --format '{{.DockerRootDir}}' 2> /dev/null || echo /)" 2> /dev/null | awk 'NR == 2 { print $4 }')
[ "$memory" -ge $LEAST_MEMORY_MIB ] || warn "only $memory MiB of memory; leave parts out by AIRFOIL_PARTS in .env"
[ "${disk:-$LEAST_DISK_MIB}" -ge $LEAST_DISK_MIB ] || warn "only $disk MiB of disk for Docker; images alone take 8,000"
processors=$(docker info --format '{{.NCPU}}' 2> /dev/null) || processors=$(nproc)
[ "$processors" -ge $LEAST_PROCESSORS ] || fail "Docker has $processors processor here, and starts no service that may have $LEAST_PROCESSORS." \
  "Give this machine $LEAST_PROCESSORS processors."
done_with "$memory MiB, $processors processors, ${disk:-?} MiB free"

# ---- the files ----

step "Files"
for file in compose.yaml env.example Caddyfile postgres.sh s3.sh ../monitoring/prometheus.yml; do
  [ -f "$file" ] || fail "$file is missing." "Run \`airfoil deploy compose\` in the project again."
done
# Written anew for another release: after `git pull` an older .env would let new code work on databases that nobody has
# dumped. Else they stay: the AIRFOIL_* of the shell in which they were written need not be in this one.
before= missing= unsure=
for file in .env compose.override.yaml setup.json; do
  [ -f $file ] || missing="${missing:+$missing, }$file"
done
[ ! -f .env ] || before=$(value_of AIRFOIL_TAG)
find_airfoil
written=${release:-$before}
if [ -n "$check_only" ]; then
  [ -z "$missing" ] || fail "Not written yet: $missing." "Run \`sh install.sh\`, or \`airfoil deploy compose\` in the project."
elif [ -n "$missing" ] || [ -z "$before" ] || [ "$before" != "$written" ]; then
  alerted=$(alerting)
  if [ -n "$build" ]; then render; else render --no-build; fi
  written=$(value_of AIRFOIL_TAG)
  [ -z "$alerted" ] || [ "$alerted" = "$(alerting)" ] \
    || warn "alerts take another way than before: give AIRFOIL_ALERTS_* again, then \`airfoil deploy compose\` (docs/compose.md)"
fi
if [ -n "$before" ] && [ "$before" != "$written" ]; then
  warn ".env was written by Airfoil $before, and this is $written: databases are dumped before it works on them (docs/compose.md)"
  unsure=$check_only
fi
[ "$(stat -c %a .env)" = 600 ] || {
  [ -z "$check_only" ] || fail ".env can be read by others." "\`chmod 600 .env\`"
  chmod 600 .env || fail ".env can be read by others." "\`chmod 600 .env\`"
}
if said=$($COMPOSE config --quiet 2>&1); then
  for name in $(printf '%s\n' "$said" | sed -n 's/.*The [\"]*\([A-Za-z0-9_]*\)[\"]* variable is not set.*/\1/p' | sort -u); do
    cut=$(sed -n "s/^\([A-Za-z_][A-Za-z0-9_]*\)=[^'].*[$]{\{0,1\}$name.*/\1/p" .env | tail -n 1)
    [ -z "$cut" ] || fail "Compose reads a \$ in the value of $cut in .env as another variable, which is not set: the value is cut." \
      "Write that value between single quotes, or each \$ as \$\$."
  done
  unsure=
elif [ -n "$unsure" ]; then
  warn "until then the Compose files do not fit: $said. What .env lacks, \`sh install.sh\` adds."
else
  fail "The Compose files are not right: $said" "Correct .env, or write it anew: \`airfoil deploy compose\` in the project."
fi
[ "$(value_of WORKERS)" != 0 ] || fail "WORKERS=0 in .env: no task could run on this server." \
  "Set WORKERS=1. To hold tasks back, pause their DAGs."
done_with "$PWD"

step "Folders of the project"
project=$(value_of AIRFLOW_PROJ_DIR)
dags=$(mounted dags) plugins=$(mounted plugins)
for folder in "$dags" "$plugins"; do
  [ -d "$folder" ] || [ -n "$check_only" ] || mkdir -p "$folder"
  [ -r "$folder" ] || fail "$folder cannot be read." "Make it, readable for you."
done
# Another user than the one who wrote them reads these inside the containers.
reader=$(value_of AIRFLOW_UID)
unreadable=$(closed "$reader" "$dags" "$plugins")
[ -z "$unreadable" ] || fail "The containers' user $reader may not read: $unreadable" \
  "\`chmod -R o+rX '$dags' '$plugins'\`"
# And these by users of images of others: after a \`git clone\` with a narrow umask they are yours alone.
case ",$(value_of COMPOSE_PROFILES)," in
  *,metrics,*) unreadable=$(closed "" ../monitoring) ;;
esac
[ -z "$unreadable" ] || fail "Prometheus and its like, which have users of their own, may not read: $unreadable" \
  "\`chmod -R o+rX $(dirname "$PWD")/monitoring\`"
done_with "$(cd "$project" && pwd)"

step "Ports"
for name in HTTP_PORT HTTPS_PORT; do
  port=$(value_of $name); port=${port##*:}
  [ -z "$unsure" ] || continue # Compose cannot say whether it is our own proxy that has it
  if [ -z "$($COMPOSE ps --quiet proxy 2> /dev/null)" ] && listens "$port"; then
    fail "Port $port is taken by another program." "Stop it (\`sudo ss -ltnp 'sport = :$port'\` names it), or set $name in .env."
  fi
done
done_with "$(value_of HTTP_PORT) and $(value_of HTTPS_PORT)${unsure:+, not looked at}"

if [ -n "$check_only" ]; then
  echo
  echo "Nothing stands in the way. \`sh install.sh\` starts the server."
  exit 0
fi

# ---- images ----

if [ -n "$build" ]; then
  step "Images of ours (minutes, the first time)"
  run "An image could not be built." "The lines above say why; most often the network. Then run this again." \
    env DOCKER_BUILDKIT=1 $COMPOSE build --quiet
  done_with "$(value_of AIRFOIL_TAG)"

  step "Images of others"
  for image in $($COMPOSE config --images | sort -u); do
    case $image in airfoil/*) continue ;; esac
    docker image inspect "$image" > /dev/null 2>&1 \
      || run "$image could not be fetched." "Check the network, or name another image in .env." docker pull --quiet "$image"
  done
  done_with "there"
else
  step "Images of ours"
  for image in $($COMPOSE config --images | sort -u); do
    case $image in airfoil/*) ;; *) continue ;; esac
    docker image inspect "$image" > /dev/null 2>&1 \
      || fail "There is no image $image on this machine." "Bring it (\`docker load\`), or leave out --no-build."
  done
  done_with "there"
fi

# ---- start, in the order that compose.yaml gives ----

began=$(date +%s)
step "Start: databases, what they must hold, then the rest"
if ! said=$($COMPOSE up --detach --no-build --remove-orphans 2>&1); then
  printf '%s\n' "$said" | tail -n 8 >&2
  for job in postgres-init s3-init airflow-init; do
    case $(state_of $job) in "exited 0" | absent | created*) ;; *) $COMPOSE logs --no-color --no-log-prefix --tail 15 $job >&2 ;; esac
  done
  fail "Not everything could be started." "The lines above say why; \`$COMPOSE ps --all\` shows what runs."
fi
# To Compose a service whose profile is off is no orphan: what a changed .env leaves out would run on.
left_out=$($COMPOSE ps --all --services | grep -vxF "$($COMPOSE config --services)" || true)
[ -z "$left_out" ] || run "What .env leaves out could not be stopped." "\`$COMPOSE ps --all\` shows what runs." \
  $COMPOSE rm --stop --force $left_out
done_with "started${left_out:+; left out and stopped: $(echo $left_out)}"

step "Wait until every service is well"
wait_for $($COMPOSE config --services | grep -v -- '-init$')
done_with "after $(($(date +%s) - began)) s"

step "The certificate's authority"
tls=$(value_of AIRFOIL_TLS) authority=$(authority_file)
if [ "$tls" = internal ]; then
  { $COMPOSE exec -T proxy cat /data/caddy/pki/authorities/local/root.crt > ca.crt.new && chmod 644 ca.crt.new \
    && mv ca.crt.new ca.crt; } || fail "The proxy has no authority yet." "\`$COMPOSE logs proxy\` says why."
  done_with "$PWD/ca.crt: give it to browsers and programs that are to trust this server"
else
  rm -f ca.crt # of a time when this server had its own
  if [ -f "$authority" ]; then done_with "$tls, $authority"; else
    done_with "$tls, a public one${authority:+; of one that this machine does not know, the certificate belongs into $authority}"
  fi
fi

echo
sh verify.sh --pages
echo
echo "$(value_of AIRFOIL_URL) answers. Log in as $(value_of _AIRFLOW_WWW_USER_USERNAME)."
echo "The password is _AIRFLOW_WWW_USER_PASSWORD in $PWD/.env"
echo "\`sh verify.sh\` tries out everything: a DAG, an MLflow run, features, a prediction."
