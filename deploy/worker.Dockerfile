# The phasegate worker, `phasegate serve` and the command line, without the embedded Temporal server.
#
#     docker build -f deploy/worker.Dockerfile -t phasegate:0.1.0 .
#
# BASE is any Debian with Python 3.11 or newer and its venv module. Where the package indexes of the
# world are out of reach: --build-arg PIP_INDEX_URL=… and APT_MIRROR=…; nothing else is fetched.
ARG BASE=python:3.13.16-slim-trixie

FROM ${BASE} AS build
ARG UV=0.13.9
ARG EXTRAS="web postgres telemetry"
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --quiet "uv==${UV}"
# The interpreter's own folder differs between base images; a virtual environment does not.
RUN python3 -m venv /opt/phasegate
# Versions and hashes are those of uv.lock, whichever index they come from. These layers stay as
# they are until the lock changes.
COPY pyproject.toml uv.lock ./
RUN set -eu; \
    export="/opt/uv/bin/uv export --quiet --frozen --no-emit-project --no-dev"; \
    $export --only-group build --output-file /tmp/build.txt >/dev/null; \
    $export $(printf ' --extra %s' ${EXTRAS}) --output-file /tmp/run.txt >/dev/null; \
    python3 -m venv /opt/build; \
    /opt/build/bin/pip install --quiet --require-hashes --requirement /tmp/build.txt; \
    /opt/phasegate/bin/pip install --quiet --require-hashes --no-compile --requirement /tmp/run.txt
COPY . .
RUN set -eu; \
    /opt/build/bin/python -m hatchling build --target wheel --directory /tmp/wheel >/dev/null; \
    /opt/phasegate/bin/pip install --quiet --no-deps --no-index --no-compile /tmp/wheel/*.whl; \
    # Nothing is installed into a running container.
    /opt/phasegate/bin/pip uninstall --quiet --yes setuptools pip 2>/dev/null; \
    # Compiled once here: the file system is read-only where it runs. By hash of the source, so that
    # the same lock gives the same files.
    python3 -m compileall -q --invalidation-mode unchecked-hash /opt/phasegate/lib || true

FROM ${BASE}
ARG APT_MIRROR
# ssh-keygen checks what is signed (docs/signing.md).
RUN set -eu; command -v ssh-keygen >/dev/null && exit 0; \
    if [ -n "${APT_MIRROR:-}" ]; then \
        find /etc/apt/sources.list /etc/apt/sources.list.d -type f 2>/dev/null \
            | xargs -r sed -i -E "s#https?://[^/ ]+#${APT_MIRROR}#"; \
    fi; \
    apt-get update -qq; \
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends openssh-client; \
    rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log
# The volume of the data folder takes its owner from this folder.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin phasegate \
    && install -d -o 10001 -g 10001 /var/lib/phasegate
COPY --from=build /opt/phasegate /opt/phasegate
COPY deploy/entrypoint.sh /usr/local/bin/phasegate-entrypoint
COPY deploy/probe.py /usr/local/bin/phasegate-probe
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="phasegate" \
      org.opencontainers.image.description="Durable product lifecycle gates on Temporal" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# PYTHONSAFEPATH: the working directory is a volume, and nothing is imported from there.
ENV PATH=/opt/phasegate/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 \
    PHASEGATE_DATA_DIR=/var/lib/phasegate PHASEGATE_HEALTH=127.0.0.1:9465
USER 10001:10001
WORKDIR /var/lib/phasegate
VOLUME /var/lib/phasegate
# Alive, whether or not Temporal is: a worker that waits for its server is not helped by a restart.
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s CMD ["phasegate-probe"]
ENTRYPOINT ["phasegate-entrypoint"]
CMD ["worker", "run"]
