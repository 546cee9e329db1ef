#!/bin/sh
# What the official image's entry point does, as far as compose.yaml leans on it: a cluster at the first start, then the server.
set -eu
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 0700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi
case "${1:-}" in -*) set -- postgres "$@" ;; esac
if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  user="${POSTGRES_USER:-postgres}" file="$(mktemp)"
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then cat "$POSTGRES_PASSWORD_FILE" > "$file"; else printf '%s' "${POSTGRES_PASSWORD:-}" > "$file"; fi
  [ -s "$file" ] || { echo 'Error: POSTGRES_PASSWORD must be set.' >&2; exit 1; }
  # shellcheck disable=SC2086 # a list of options
  initdb -D "$PGDATA" --username="$user" --pwfile="$file" --auth-host=scram-sha-256 --auth-local=trust ${POSTGRES_INITDB_ARGS:-}
  rm -f "$file"
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses= -c unix_socket_directories=/tmp" -w start
  if [ -n "${POSTGRES_DB:-}" ] && [ "$POSTGRES_DB" != postgres ]; then
    createdb -h /tmp -U "$user" "$POSTGRES_DB"
  fi
  for script in /docker-entrypoint-initdb.d/*; do
    case "$script" in
      *.sql) psql -h /tmp -v ON_ERROR_STOP=1 -U "$user" -d "${POSTGRES_DB:-$user}" -f "$script" ;;
      *.sh) sh "$script" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
fi
[ "${1:-}" != postgres ] || set -- "$@" -c "listen_addresses=*"
exec "$@"
