# The phasegate worker and command line, without the embedded Temporal server.
#
#     docker build -f deploy/worker.Dockerfile -t phasegate:0.1.0 .
ARG BASE=python:3.13.16-slim-trixie

FROM ${BASE} AS build
WORKDIR /src
# The interpreter's own folder differs between base images; a virtual environment does not.
RUN python3 -m venv /opt/phasegate
COPY . .
RUN /opt/phasegate/bin/pip install --no-cache-dir --disable-pip-version-check ".[web,postgres]"

FROM ${BASE}
# ssh-keygen checks what is signed (docs/signing.md).
RUN apt-get update && apt-get install --no-install-recommends -y openssh-client \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/phasegate /opt/phasegate
# The volume of the ledger takes its owner from this folder.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin phasegate \
    && install -d -o 10001 -g 10001 /var/lib/phasegate
ENV PATH=/opt/phasegate/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/phasegate
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["phasegate", "doctor"]
ENTRYPOINT ["phasegate"]
CMD ["worker", "run"]
