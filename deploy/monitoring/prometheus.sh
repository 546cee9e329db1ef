#!/bin/sh
# Starts Prometheus: writes the token where its configuration looks for it, and the configuration without the jobs of
# services that this server leaves out, which would be missed for ever. `prometheus.sh --print` only prints that,
# `prometheus.sh --print-rules` what the rules must know of this server: whether anybody takes backups by the clock, and
# how old the last one may be when that is not every day.
# Runs in the registry's image, whose shell is busybox; /tmp is in memory.
set -eu
umask 077
here=${0%/*}

tell() {
  [ -z "$wanted" ] || printf '%s' "$job"
  job='' wanted=yes
}

# prometheus.yml with the jobs whose host is among the services that run. Without a list of these, with all.
configuration() {
  job='' wanted=yes
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '  - rules/'*)
        line="  - $here/${line#  - }
  - /tmp/server.yml"
        ;;
      '  - job_name:'*) tell ;;
      '      - targets: ["'*)
        host=${line#*\"}
        case ",${AIRFOIL_STATUS_SERVICES:-${host%%:*}},localhost," in *",${host%%:*},"*) ;; *) wanted='' ;; esac
        ;;
    esac
    job="$job$line
"
  done < "$here/prometheus.yml"
  tell
}

rules() {
  expected=1
  case ",${AIRFOIL_STATUS_SERVICES:-maintenance}," in *,maintenance,*) ;; *) expected=0 ;; esac
  [ -n "${BACKUP_SCHEDULE-by the clock}" ] || expected=0
  echo "groups:
  - name: server
    rules:
      - record: airfoil_backups_expected
        expr: vector($expected)"
  days=$(BACKUP_SCHEDULE="${BACKUP_SCHEDULE:-}" awk -f "$here/backup_days.awk") || days=1
  [ "$days" -gt 1 ] || return 0
  hours=$((days * 24 + 2)) # two for the backup itself, as of every day
  echo "      - record: airfoil_backup_hours
        expr: vector($hours)
      - record: airfoil_backups_in_time # or nobody has counted for as long
        expr: increase(airfoil_backups_taken[${hours}h]) > 0 or airfoil_backups_taken unless airfoil_backups_taken offset ${hours}h"
}

case ${1:-} in
  --print) configuration; exit ;;
  --print-rules) rules; exit ;;
esac
: "${METRICS_TOKEN:?METRICS_TOKEN is empty: it opens the metrics of Airflow and MLflow. Run: airfoil deploy compose}"
printf '%s' "$METRICS_TOKEN" > /tmp/metrics.token
unset METRICS_TOKEN
configuration > /tmp/prometheus.yml
rules > /tmp/server.yml
exec prometheus \
  --config.file=/tmp/prometheus.yml \
  --storage.tsdb.path=/prometheus \
  --storage.tsdb.retention.time="${PROMETHEUS_RETENTION:-30d}" \
  --web.external-url="${AIRFOIL_URL:-http://localhost}/prometheus/" \
  --web.route-prefix=/prometheus/ \
  "$@"
