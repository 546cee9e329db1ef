#!/bin/sh
# The job postgres-init: roles and databases as .env says, a dump before another version of Airfoil works on them, and
# no way down but by what was kept. Run at every start; what is there is left alone, but for passwords, which follow .env.
#
#   docker compose run --rm postgres-init                       what every start does
#   docker compose run --rm postgres-init back before-VERSION   the databases as that dump has them; those of now are kept
#
# AIRFOIL_RESTORING is set by `airfoil backup restore --into compose --overwrite`: begun, then done.
set -eu

DATABASES="airflow mlflow mlflow_auth feast"

# Who we are and where the server is says libpq's own environment (PGHOST, PGUSER, PGPASSWORD, ...).
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# give_role NAME: a login of that name, with the password in $SECRET. It is read by psql itself, so no argument shows it.
give_role() {
  ask -v name="$1" <<'EOF'
\getenv secret SECRET
SELECT format('CREATE ROLE %I LOGIN', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', :'name', :'secret') \gexec
EOF
}

# give_database NAME OWNER: nobody else may connect to it. Since PostgreSQL 16, who made a role is a member of it and yet
# may not act as it: that is given each time, but to those who may do everything.
give_database() {
  ask -v name="$1" -v owner="$2" <<'EOF'
SET client_min_messages = warning;
SELECT format('GRANT %I TO CURRENT_USER', :'owner')
 WHERE :'owner' <> CURRENT_USER AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER) \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
EOF
}

# The version of Airfoil that worked on the databases last is the comment on Airflow's.
last_version() {
  ask -c "SELECT substring(shobj_description(oid, 'pg_database') FROM '^airfoil (.+)$')
            FROM pg_database WHERE datname = 'airflow'"
}

# note_version DATABASE VERSION
note_version() {
  ask -v name="$1" -v version="airfoil $2" <<'EOF'
COMMENT ON DATABASE :"name" IS :'version';
EOF
}

# lay_out DUMP DATABASE ROLE: all of a dump, or an error. Its end says so by itself: a pipe tells how psql ended, alone.
# A server older than pg_restore may not know the setting, which stands before the first table; a row may say the same.
lay_out() {
  whole=$({ pg_restore --no-owner --role="$3" --file=- "$1" && printf '%s\n' '\echo whole'; } \
    | LC_ALL=C sed '1,/^SET client_encoding/{/^SET transaction_timeout = 0;$/d;}' \
    | ask --single-transaction --output=/dev/null --dbname="$2") || whole=
  [ "$whole" = whole ] || { echo "airfoil: $1 cannot be put back; nothing has changed." >&2; exit 1; }
}

# forget_messages DATABASE: as stack/backup/queued_tasks.py does. Redis knows how tasks of that day have ended since, and
# a scheduler that hears so fails, unrun, what is queued again.
forget_messages() {
  ask --dbname="$1" <<'EOF'
SET ROLE airflow;
SELECT $$UPDATE task_instance SET external_executor_id = NULL
          WHERE state IN ('queued', 'restarting', 'running') AND external_executor_id IS NOT NULL$$
 WHERE (SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('task_instance')
           AND attname IN ('state', 'external_executor_id')) = 2 \gexec
EOF
}

# go_back NAME: every dump is laid out whole beside the databases; then all four take their places at once.
go_back() {
  place=/backups/$1
  if [ -z "$1" ] || [ ! -e "$place/complete" ]; then
    echo "airfoil: there is no whole dump \"$1\" in the volume backups. There are: $(cd /backups && echo before-*)" >&2
    exit 2
  fi
  working=$(ask -c "SELECT count(*) FROM pg_stat_activity
                     WHERE backend_type = 'client backend' AND datname = ANY (string_to_array('$DATABASES', ' '))")
  if [ "$working" != 0 ]; then
    echo "airfoil: $working connections work on the databases; stop the server first: docker compose stop" >&2
    exit 75
  fi
  for name in $DATABASES; do
    ask -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS ${name}_coming"
    give_database "${name}_coming" "$name"
    lay_out "$place/$name.dump" "${name}_coming" "$name"
  done
  forget_messages airflow_coming
  version=$(cat "$place/complete") aside=replaced_$(date -u +%Y%m%dt%H%M%Sz)
  note_version airflow_coming "$version"
  for name in $DATABASES; do
    echo "ALTER DATABASE $name RENAME TO ${name}_$aside; ALTER DATABASE ${name}_coming RENAME TO $name;"
  done | ask --single-transaction
  echo "airfoil: the databases are those of Airfoil $version again. What they were a moment ago: *_$aside" >&2
  echo "airfoil: start $version now; $AIRFOIL_VERSION would take them up again." >&2
}

# A new volume belongs to root; the worker that takes backups does not run as root.
case ${BACKUP_PLACE:=/backups/platform} in
  /backups/*)
    mkdir -p "$BACKUP_PLACE"
    chown "$AIRFLOW_UID:0" "$BACKUP_PLACE"
    chmod 0700 "$BACKUP_PLACE"
    ;;
esac

SECRET=$AIRFLOW_DATABASE_PASSWORD; export SECRET
give_role airflow
SECRET=$MLFLOW_DATABASE_PASSWORD; give_role mlflow
SECRET=$MLFLOW_AUTH_DATABASE_PASSWORD; give_role mlflow_auth
SECRET=$FEAST_DATABASE_PASSWORD; give_role feast
SECRET=$METRICS_DATABASE_PASSWORD; give_role metrics
unset SECRET
ask -c "SET client_min_messages = warning" -c "GRANT pg_monitor TO metrics" \
  || echo "airfoil: this server does not let the role metrics see its statistics; Prometheus will know less." >&2
if [ "${1:-}" = back ]; then
  go_back "${2:-}"
  exit 0
fi
for name in $DATABASES; do give_database "$name" "$name"; done

before=$(last_version)
if [ -n "$before" ] && [ "$before" != "$AIRFOIL_VERSION" ] && [ "${AIRFOIL_RESTORING:-}" != "done" ]; then
  newest=$(printf '%s\n%s\n' "$before" "$AIRFOIL_VERSION" | sort -V | tail -n 1)
  if [ "$newest" = "$before" ]; then
    # Until the restore is done they are the later version's still, and nothing but it is let through.
    [ "${AIRFOIL_RESTORING:-}" != begun ] || exit 0
    echo "airfoil: the databases are of Airfoil $before, and this is $AIRFOIL_VERSION: there is no way down." >&2
    echo "airfoil: start $before again, or take the databases back to before it (docs/compose.md, The way back):" >&2
    echo "airfoil: docker compose stop && docker compose run --rm postgres-init back before-$before" >&2
    exit 78
  fi
  place=/backups/before-$AIRFOIL_VERSION
  # Who went back and comes again has worked since: that dump is of another day.
  [ ! -e "$place/complete" ] || mv "$place" "$place.$(date -u +%Y%m%dT%H%M%SZ)"
  echo "airfoil: dumping the databases of Airfoil $before into the volume backups, before-$AIRFOIL_VERSION" >&2
  mkdir -p "$place"
  for name in $DATABASES; do
    pg_dump --format=custom --file="$place/$name.dump.unfinished" "$name"
    mv "$place/$name.dump.unfinished" "$place/$name.dump"
  done
  echo "$before" > "$place/complete"
fi
note_version airflow "$AIRFOIL_VERSION"
