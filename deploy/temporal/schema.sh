#!/bin/sh
# Makes the tables of Temporal's two databases, and brings them up to this server version: before
# the first start and after each upgrade. Doing it again does no harm.
set -eu
SQL_PASSWORD=$(cat /run/secrets/postgres-temporal)
export SQL_PASSWORD

for store in temporal:temporal temporal_visibility:visibility; do
    database=${store%:*}
    temporal-sql-tool --db "$database" setup-schema -v 0.0
    temporal-sql-tool --db "$database" update-schema \
        -d "/etc/temporal/schema/postgresql/v12/${store#*:}/versioned"
done
