#!/bin/sh
# Starts Alertmanager: writes its configuration from the environment, for it reads no variables itself.
# Runs in the registry's image, whose shell is busybox; /tmp is in memory. `alertmanager.sh --print` only prints it.
#
# Mail when ALERT_MAIL_TO is set, a chat (Slack's JSON) when ALERT_CHAT_WEBHOOK is, any other receiver of Alertmanager's
# own JSON when ALERT_WEBHOOK is. With none of them alerts are seen on its page alone.
set -eu
umask 077

# A value as YAML: in single quotes, those inside doubled. A line break would end the value.
quoted() {
  printf "'%s'" "$(printf '%s' "$1" | tr -d '\r\n' | sed "s/'/''/g")"
}

# echo would read a backslash in a password as the beginning of something else.
line() {
  printf '%s' "$1"
  quoted "$2"
  echo
}

# HOST:PORT of a HOST alone: Alertmanager does not start without a port. 587 is where mail is handed in.
with_port() {
  case ${1##*]} in # behind the brackets of an IPv6 address
    *:?*) printf '%s' "$1" ;;
    *) printf '%s:587' "${1%:}" ;;
  esac
}

configuration() {
  echo 'global:'
  echo '  resolve_timeout: 5m'
  if [ -n "${ALERT_MAIL_TO:-}" ]; then
    line '  smtp_smarthost: ' "$(with_port "${ALERT_SMTP_HOST:-localhost:25}")"
    line '  smtp_from: ' "${ALERT_MAIL_FROM:-airfoil@localhost}"
    if [ "${ALERT_SMTP_TLS:-true}" = false ]; then
      echo '  smtp_require_tls: false'
    else
      echo '  smtp_require_tls: true'
    fi
    if [ -n "${ALERT_SMTP_USER:-}" ]; then
      line '  smtp_auth_username: ' "$ALERT_SMTP_USER"
      line '  smtp_auth_password: ' "${ALERT_SMTP_PASSWORD:-}"
    fi
  fi
  cat <<'ROUTES'
route:
  receiver: people
  group_by: [alertname, dag_id, service]
  group_wait: 15s
  group_interval: 5m
  repeat_interval: 12h
inhibit_rules:
  # One cause, one message: what cannot be seen or served because something else is down is not told again.
  - source_matchers: ['alertname="PostgresDown"']
    target_matchers: ['alertname=~"MlflowDown|ServiceDown|AirflowSchedulerDown|AirflowDagProcessorDown|AirflowTriggererDown"']
  - source_matchers: ['alertname="AirflowSchedulerDown"']
    target_matchers: ['alertname="AirflowQueueGrowing"']
receivers:
  - name: people
ROUTES
  if [ -n "${ALERT_MAIL_TO:-}" ]; then
    echo '    email_configs:'
    line '      - to: ' "$ALERT_MAIL_TO"
    echo '        send_resolved: true'
  fi
  if [ -n "${ALERT_CHAT_WEBHOOK:-}" ]; then
    echo '    slack_configs:'
    line '      - api_url: ' "$ALERT_CHAT_WEBHOOK"
    echo '        send_resolved: true'
    cat <<'TEXT'
        title: '{{ .Status | toUpper }}: {{ .CommonLabels.alertname }}'
        text: '{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.next_move }}{{ "\n" }}{{ end }}'
TEXT
  fi
  if [ -n "${ALERT_WEBHOOK:-}" ]; then
    echo '    webhook_configs:'
    line '      - url: ' "$ALERT_WEBHOOK"
    echo '        send_resolved: true'
  fi
}

if [ "${1:-}" = --print ]; then
  configuration
  exit
fi
configuration > /tmp/alertmanager.yml
unset ALERT_SMTP_PASSWORD ALERT_CHAT_WEBHOOK ALERT_WEBHOOK
exec alertmanager \
  --config.file=/tmp/alertmanager.yml \
  --storage.path=/alertmanager \
  --web.external-url="${AIRFOIL_URL:-http://localhost}/alertmanager/" \
  --web.route-prefix=/alertmanager/ \
  --cluster.listen-address= \
  "$@"
