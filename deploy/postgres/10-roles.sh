#!/bin/bash
# Run once by the postgres image, on an empty volume: two databases that know nothing of each other,
# and a role for each kind of process (docs/connections.md, Least privilege).
set -euo pipefail

secret() { cat "/run/secrets/$1"; }

# Over standard input: arguments can be seen by every process.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<SQL
CREATE ROLE temporal LOGIN PASSWORD '$(secret postgres-temporal)';
CREATE ROLE phasegate_owner LOGIN PASSWORD '$(secret ledger-owner)';
CREATE ROLE phasegate_worker LOGIN PASSWORD '$(secret ledger-worker)';
CREATE ROLE phasegate_people LOGIN PASSWORD '$(secret ledger-people)';
-- Nobody logs in as these until they are given a password: the worker for retirement, auditors.
CREATE ROLE phasegate_retirement LOGIN;
CREATE ROLE phasegate_reader LOGIN;

CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE phasegate OWNER phasegate_owner;

-- Every database lets everybody in until this is said.
REVOKE CONNECT, TEMPORARY ON DATABASE temporal, temporal_visibility, phasegate FROM PUBLIC;
GRANT CONNECT ON DATABASE phasegate
  TO phasegate_worker, phasegate_people, phasegate_retirement, phasegate_reader;
SQL
