#!/bin/sh
# Tries out the running server from end to end, as people and programs use it, and prints a table.
#
#   sh verify.sh           everything: files, images, services, pages, logins, a DAG, an MLflow run, features, a prediction
#   sh verify.sh --pages   services, pages and logins alone
#
# Exit code 0: all is well. What has nothing to be tried on yet is told as skipped.
set -eu

cd "$(dirname "$0")"
. ./steps.sh

pages_only=
case ${1:-} in
  "") ;;
  --pages) pages_only=yes ;;
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "verify.sh: $1 is no option; --help tells which there are." >&2; exit 2 ;;
esac

[ -f .env ] || { echo "verify.sh: there is no server in $PWD: .env is missing. \`sh install.sh\` makes one." >&2; exit 1; }

failed=0
# row WHAT ok|FAILED|skipped DETAIL
row() {
  printf '%-34s %-8s %s\n' "$1" "$2" "$3"
  [ "$2" != FAILED ] || failed=$((failed + 1))
}

# expect WHAT PATH STATUS [CURL OPTION...]
expect() {
  what=$1 path=$2 wanted=$3
  shift 3
  ask "$path" "$@"
  if [ "$status" = "$wanted" ]; then row "$what" ok "$path: $status"; else
    row "$what" FAILED "$path: $status instead of $wanted: $(printf '%s' "$body" | tr '\n' ' ' | cut -c 1-120)"
  fi
}

part() { case ",$(value_of COMPOSE_PROFILES)," in *",$1,"*) return 0 ;; *) return 1 ;; esac; }

# run_dag DAG SECONDS: a run of a DAG through Airflow's API, to its end
run_dag() {
  ask "/api/v2/dags/$1" --header "@$pass"
  if [ "$status" = 404 ]; then row "DAG $1" skipped "this project has no such DAG"; return 0; fi
  began=$(date +%s)
  ask "/api/v2/dags/$1" --header "@$pass" --header 'Content-Type: application/json' --request PATCH --data '{"is_paused": false}'
  ask "/api/v2/dags/$1/dagRuns" --header "@$pass" --header 'Content-Type: application/json' --data '{"logical_date": null}'
  run_id=$(field dag_run_id)
  if [ -z "$run_id" ]; then row "DAG $1" FAILED "not triggered: $status"; return 0; fi
  state=queued
  while [ $(($(date +%s) - began)) -lt "$2" ]; do
    ask "/api/v2/dags/$1/dagRuns/$run_id" --header "@$pass"
    state=$(field state)
    case $state in success | failed) break ;; esac
    sleep 1
  done
  seconds=$(($(date +%s) - began))
  if [ "$state" = success ]; then row "DAG $1" ok "success after $seconds s"; else row "DAG $1" FAILED "$state after $seconds s ($run_id)"; fi
}

# try_inside WHAT: one of the trials that a worker carries out, with what a task has
try_inside() {
  if said=$($COMPOSE exec -T airflow-worker python -m airfoil.runtime.container.trial "$2" 2>&1); then
    last=$(printf '%s\n' "$said" | tail -n 1)
    case $last in skipped:*) row "$1" skipped "${last#skipped: }" ;; *) row "$1" ok "$last" ;; esac
  else
    row "$1" FAILED "$(printf '%s\n' "$said" | tail -n 1 | cut -c 1-160)"
  fi
}

printf '%-34s %-8s %s\n' WHAT HOW DETAIL

if [ -z "$pages_only" ]; then
  if said=$($COMPOSE config --quiet 2>&1); then row "Compose files" ok "right"; else row "Compose files" FAILED "$said"; fi
  if [ "$(stat -c %a .env)" = 600 ]; then row "Secrets" ok ".env is yours alone"; else row "Secrets" FAILED ".env can be read by others"; fi
  missing=
  for image in $($COMPOSE config --images | sort -u); do
    docker image inspect "$image" > /dev/null 2>&1 || missing="$missing $image"
  done
  if [ -z "$missing" ]; then row "Images" ok "all there"; else row "Images" FAILED "missing:$missing"; fi
  for job in postgres-init s3-init airflow-init; do
    state=$(state_of $job)
    if [ "$state" = "exited 0" ]; then row "$job" ok "done"; else row "$job" FAILED "$state"; fi
  done
fi

for service in $($COMPOSE config --services | grep -v -- '-init$' | sort); do
  state=$(state_of "$service")
  case $state in
    healthy) row "$service" ok "healthy" ;;
    running) row "$service" ok "running; it has no check of its own" ;;
    *) row "$service" FAILED "$state; \`$COMPOSE logs $service\`" ;;
  esac
done

expect "Airflow's page" / 200 --location
expect "Airflow's health" /api/v2/monitor/health 200
expect "API without a login" /api/v2/dags 401
if log_in; then
  row "Login of the administrator" ok "$(value_of _AIRFLOW_WWW_USER_USERNAME)"
  expect "API with a login" "/api/v2/dags?limit=1" 200 --header "@$pass"
  [ "$(value_of MLFLOW_URL)" ] || {
    expect "MLflow without a login" /mlflow/ 401
    expect "MLflow with Airflow's login" /mlflow/ 200 --header "@$cookie"
  }
  if part status; then expect "Status page with a login" /status/ 200 --header "@$cookie"; fi
  if part flower; then
    expect "Flower without a login" /flower/ 401
    expect "Flower with a login" /flower/ 200 --location --header "@$cookie"
  fi
  if part features; then expect "Feature server with a login" /features/health 200 --header "@$cookie"; fi
  if part metrics; then
    expect "Prometheus without a login" /prometheus/-/ready 401
    expect "Prometheus with a login" /prometheus/-/ready 200 --header "@$cookie"
    expect "Alertmanager with a login" /alertmanager/-/ready 200 --header "@$cookie"
  fi
  if part grafana; then expect "Grafana with a login" /grafana/api/health 200 --header "@$cookie"; fi
  # Workers on other hosts come by it.
  outside=404
  [ "$(value_of EDGE_WORKERS)" != true ] || outside=200
  expect "Execution API from outside" /execution/health $outside --header "@$pass"
else
  row "Login of the administrator" FAILED "$status: $(printf '%s' "$body" | tr '\n' ' ' | cut -c 1-120)"
fi

if [ -z "$pages_only" ] && [ -n "${token:-}" ]; then
  run_dag simple_test_dag 300
  try_inside "MLflow run with an artifact" run
  run_dag example_dag 600
  try_inside "Prediction of a registered model" prediction
  if part features; then
    run_dag feast_feature_materialization 600
    try_inside "Features read online" features
  fi
fi

echo
if [ $failed = 0 ]; then echo "All is well."; else echo "$failed of these failed." >&2; exit 1; fi
