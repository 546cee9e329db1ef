#!/bin/sh
# Starts Prometheus: writes the token where its configuration looks for it, and nothing else.
# Runs in the registry's image, whose shell is busybox; /tmp is in memory.
set -eu
umask 077
: "${METRICS_TOKEN:?METRICS_TOKEN is empty: it opens the metrics of Airflow and MLflow. Run: airfoil deploy compose}"
printf '%s' "$METRICS_TOKEN" > /tmp/metrics.token
unset METRICS_TOKEN
exec prometheus \
  --config.file=/etc/airfoil/prometheus.yml \
  --storage.tsdb.path=/prometheus \
  --storage.tsdb.retention.time="${PROMETHEUS_RETENTION:-30d}" \
  --web.external-url="${AIRFOIL_URL:-http://localhost}/prometheus/" \
  --web.route-prefix=/prometheus/ \
  "$@"
