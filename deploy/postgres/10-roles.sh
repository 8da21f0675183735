#!/bin/bash
# Run once by the postgres image, on an empty volume: two databases that know nothing of each other,
# and a role for each kind of process (docs/connections.md, Least privilege).
set -euo pipefail

secrets=${SECRETS:-/run/secrets}

# Said before anything is made: at its next start the image takes the volume as set up, and the
# services would only say that nobody can log in.
for name in postgres-temporal ledger-owner ledger-worker ledger-people; do
    [ -s "$secrets/$name" ] && continue
    echo "error: no role was made" >&2
    echo "why: $secrets/$name is not there, or is empty" >&2
    echo "hint: deploy/make-secrets; docker compose down --volumes  # removes all data" >&2
    exit 1
done

# psql reads the files itself, since arguments can be seen by every process, and quotes them.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set secrets="$secrets" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\cd :secrets
\set temporal `cat postgres-temporal`
\set owner `cat ledger-owner`
\set worker `cat ledger-worker`
\set people `cat ledger-people`
BEGIN;
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE ROLE phasegate_owner LOGIN PASSWORD :'owner';
CREATE ROLE phasegate_worker LOGIN PASSWORD :'worker';
CREATE ROLE phasegate_people LOGIN PASSWORD :'people';
-- Nobody logs in as these until they are given a password: the worker for retirement, auditors.
CREATE ROLE phasegate_retirement LOGIN;
CREATE ROLE phasegate_reader LOGIN;
COMMIT;

CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE phasegate OWNER phasegate_owner;

-- Every database lets everybody in until this is said.
REVOKE CONNECT, TEMPORARY ON DATABASE temporal, temporal_visibility, phasegate FROM PUBLIC;
GRANT CONNECT ON DATABASE phasegate
  TO phasegate_worker, phasegate_people, phasegate_retirement, phasegate_reader;
SQL
