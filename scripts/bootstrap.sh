#!/bin/sh
# Create .venv with everything in uv.lock. Needs python3 (3.11 or newer) and network access to a
# Python package index. Uses uv from PATH, else a private one in .venv-tools.
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'bootstrap: %s\n' "$1" >&2
    printf 'hint: %s\n' "$2" >&2
    exit 1
}

python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    # Asked for its real path, because python3 may be a version manager's shim.
    python=$("$candidate" -c 'import sys
if sys.version_info >= (3, 11): print(getattr(sys, "_base_executable", sys.executable))' \
        2>/dev/null) || python=
    [ -z "$python" ] || break
done
if [ -z "$python" ]; then
    found=$(python3 --version 2>/dev/null) || found="no python3"
    fail "needs Python 3.11 or newer, found $found" \
        "install one (on Debian 12 or newer: apt install python3 python3-venv) and put it on PATH"
fi

uv=$(command -v uv) || uv=
if [ -z "$uv" ]; then
    uv=.venv-tools/bin/uv
    if ! "$uv" --version >/dev/null 2>&1; then
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            fail "$python has no venv or ensurepip module, so it cannot make a virtual environment" \
                "on Debian and Ubuntu: apt install python$version-venv; or put uv on PATH"
        fi
        echo "bootstrap: installing uv into .venv-tools" >&2
        "$python" -m venv --clear .venv-tools
        .venv-tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9' ||
            fail "could not install uv" "check the network and pip's index settings, then try again"
    fi
fi

# An activated environment of another project must not be mistaken for ours.
unset VIRTUAL_ENV
export UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never
# Trust the authorities the machine trusts (a company's proxy may have its own); a bare container
# has none, and uv then falls back on its own list.
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [ -s "$bundle" ]; then
        export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
    fi
done
"$uv" sync --frozen --extra dev-server --python "$python" ||
    fail "could not install what uv.lock lists" "see uv's message above; 'make clean' starts afresh"
touch .venv/.bootstrapped
