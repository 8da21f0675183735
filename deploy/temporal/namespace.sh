#!/bin/sh
# Waits for the server, and makes the namespace if it is not there.
set -eu

for _ in $(seq 60); do
    temporal operator cluster health >/dev/null 2>&1 && break
    sleep 2
done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    exit 0
fi
temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"

# A new namespace is known everywhere a moment later.
for _ in $(seq 60); do
    temporal workflow count --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 && exit 0
    sleep 2
done
echo "the namespace $TEMPORAL_NAMESPACE does not answer" >&2
exit 1
