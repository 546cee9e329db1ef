#!/bin/sh
# The job postgres-init: roles and databases as .env says, a dump before another version of Airfoil works on them, and
# no way down. Run at every start; what is there is left alone, but for passwords, which follow .env.
set -eu

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

# give_database NAME OWNER: nobody else may connect to it.
give_database() {
  ask -v name="$1" -v owner="$2" <<'EOF'
SELECT format('GRANT %I TO CURRENT_USER', :'owner')
 WHERE NOT pg_has_role(CURRENT_USER, :'owner', 'MEMBER') \gexec
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
ask -c "GRANT pg_monitor TO metrics" \
  || echo "airfoil: this server does not let the role metrics see its statistics; Prometheus will know less." >&2
for name in airflow mlflow mlflow_auth feast; do give_database "$name" "$name"; done

before=$(last_version)
if [ -n "$before" ] && [ "$before" != "$AIRFOIL_VERSION" ]; then
  newest=$(printf '%s\n%s\n' "$before" "$AIRFOIL_VERSION" | sort -V | tail -n 1)
  if [ "$newest" = "$before" ]; then
    echo "airfoil: the databases are of Airfoil $before, and this is $AIRFOIL_VERSION: there is no way down." >&2
    echo "airfoil: start $before again, or restore a backup from before it." >&2
    exit 78
  fi
  place=/backups/before-$AIRFOIL_VERSION
  if [ ! -e "$place/complete" ]; then
    echo "airfoil: dumping the databases of Airfoil $before into the volume backups, before-$AIRFOIL_VERSION" >&2
    mkdir -p "$place"
    for name in airflow mlflow mlflow_auth feast; do
      pg_dump --format=custom --file="$place/$name.dump.unfinished" "$name"
      mv "$place/$name.dump.unfinished" "$place/$name.dump"
    done
    echo "$before" > "$place/complete"
  fi
fi
ask -v version="airfoil $AIRFOIL_VERSION" <<'EOF'
COMMENT ON DATABASE airflow IS :'version';
EOF
