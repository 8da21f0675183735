#!/bin/sh
# Starts phasegate with secrets that lie in files: `docker inspect` shows an environment, and not
# what is in a file. NAME_FROM=/run/secrets/… becomes NAME, for the names below.
#
# PGPASSWORD and PHASEGATE_KEYS only: libpq and phasegate would read files, too, but only such as
# nobody else may read, and a file that Compose mounts belongs to whoever made it on the host.
set -eu

for name in PGPASSWORD PHASEGATE_KEYS; do
    eval "file=\${${name}_FROM:-}"
    [ -n "$file" ] || continue
    if [ ! -r "$file" ]; then
        echo "phasegate: $file, named by ${name}_FROM, cannot be read" >&2
        echo "hint: deploy/make-secrets, then start again" >&2
        exit 1
    fi
    value=$(cat "$file")
    export "$name=$value"
    unset "${name}_FROM"
done

exec phasegate "$@"
