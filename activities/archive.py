"""Packing files into an archive that comes out the same, byte for byte, every time.

An archive holds the files below `files/` and, last, `MANIFEST.sha256`, which `sha256sum --check`
reads. Times, owners and names of owners are left out; of the mode only "executable" is kept.
"""

from __future__ import annotations

import os
import re
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from gzip import GzipFile
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from activities.errors import ARCHIVE_FAILED, ARCHIVE_REFUSED, ARCHIVE_SOURCE_MISSING
from activities.outcomes import Done, NotDone
from activities.settings import ActivitySettings
from ledger.privacy import private_folder
from phasegate.sunset_ports import TaskProof

MANIFEST = "MANIFEST.sha256"


class _Refused(Exception):
    """Something that must not or cannot be packed."""


class Stopped(Exception):
    """Nobody waits for the archive any more."""


def pack(
    settings: ActivitySettings, source: str, key: str, on: Callable[[], None] = lambda: None
) -> Done | NotDone:
    """Pack the file or folder `source` into `<key>.tar.gz`; its proof is the archive's SHA-256.

    An archive of that key that holds something else is kept beside it, by its SHA-256: packed again
    (after a reset), a source may have lost what the first archive has.
    A source that is gone although its archive is complete is proven by that archive. `on` is called
    before each file, and may raise Stopped. Not done: archive-source-missing, archive-refused (a
    path that leads out of the archive root, or something that is neither file nor folder),
    archive-failed (no room, no permission …).
    """
    target = settings.archives / f"{_file_name(key)}.tar.gz"
    try:
        path = _inside(settings.archive_root, source)
        if path.exists():
            _write(path, target, on)
        elif not target.exists():
            return NotDone(
                ARCHIVE_SOURCE_MISSING,
                f"{source} cannot be archived",
                f"there is no {path}",
                "put the files there, or set the worker's PHASEGATE_ARCHIVE_ROOT to their folder; "
                "the sunset then goes on by itself",
            )
        return Done(_proof(source, target))
    except _Refused as error:
        return NotDone(
            ARCHIVE_REFUSED,
            f"{source} is not archived",
            str(error),
            f"leave in it only what lies below {settings.archive_root}",
        )
    except (OSError, tarfile.TarError, EOFError) as error:
        return NotDone(
            ARCHIVE_FAILED,
            f"{source} could not be archived",
            str(error),
            f"check the room and the rights in {settings.archives}, and that the files are at rest",
        )


def _file_name(key: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", key).strip(".-")[:120]
    # Two keys must not meet in one name.
    return safe if safe == key else f"{safe}-{sha256(key.encode()).hexdigest()[:8]}".lstrip("-")


def _inside(root: Path, source: str) -> Path:
    asked = PurePosixPath(source)
    if asked.is_absolute() or ".." in asked.parts or "\0" in source:
        raise _Refused("the path must be relative to the archive root, without `..`")
    top = root.resolve()
    path = (top / asked).resolve()
    if not path.is_relative_to(top):
        raise _Refused("it is a symbolic link that leads out of the archive root")
    return path


def _write(source: Path, target: Path, on: Callable[[], None]) -> None:
    private_folder(target.parent)
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as raw:
            # No file name and no time in the gzip header.
            with GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                _fill(source, packed, on)
            raw.flush()
            os.fsync(raw.fileno())
        _keep_other(target, Path(partial))
        os.replace(partial, target)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_other(target: Path, packed: Path) -> None:
    """Give an archive of other content, which is about to be replaced, a name that stays its."""
    if target.exists() and (before := _digest(target)[0]) != _digest(packed)[0]:
        kept = target.name.removesuffix(".tar.gz") + f".{before}.tar.gz"
        os.replace(target, target.with_name(kept))


def _digest(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file, and its bytes."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
        return digest.hexdigest(), file.tell()


def _fill(source: Path, packed: GzipFile, on: Callable[[], None]) -> None:
    lines: list[str] = []
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in _walk(source):
            on()
            name = "files/" + str(path.relative_to(source.parent))
            found = path.lstat()
            member = tarfile.TarInfo(name)
            if stat.S_ISLNK(found.st_mode):
                member.type, member.mode = tarfile.SYMTYPE, 0o777
                member.linkname = _link(path, source)
                archive.addfile(member)
            elif stat.S_ISDIR(found.st_mode):
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
            elif stat.S_ISREG(found.st_mode):
                member.mode = 0o755 if found.st_mode & 0o100 else 0o644
                lines.append(_manifest_line(_add(archive, member, path), name))
            else:
                raise _Refused(f"{name} is neither file, folder nor symbolic link")
        manifest = "".join(lines).encode("utf-8", "surrogateescape")
        member = tarfile.TarInfo(MANIFEST)
        member.size = len(manifest)
        archive.addfile(member, BytesIO(manifest))


def _walk(path: Path) -> Iterator[Path]:
    waiting = [path]
    while waiting:
        yield (found := waiting.pop())
        if found.is_dir() and not found.is_symlink():
            # Backwards, as they are taken from the end.
            children = sorted(found.iterdir(), key=lambda child: os.fsencode(child.name))
            waiting += reversed(children)


def _link(path: Path, source: Path) -> str:
    """Where a symbolic link leads, relative to it. Raises _Refused if it leads out."""
    leads_to = Path(os.path.realpath(path))
    if not leads_to.is_relative_to(source):
        raise _Refused(f"{path.relative_to(source.parent)} is a symbolic link that leads out of it")
    return os.path.relpath(leads_to, path.parent)


def _add(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    # Not through a link that took the file's place meanwhile, nor from a pipe, which would wait.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _Refused(f"{member.name} is no file any more")
        member.size = found.st_size
        reader = _Hashing(file)
        archive.addfile(member, reader)  # type: ignore[arg-type]  # reads it and nothing else
    return reader.digest.hexdigest()


class _Hashing:
    """A file whose content is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = sha256()

    def read(self, size: int) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk


def _manifest_line(digest: str, name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n"


def _proof(source: str, target: Path) -> TaskProof:
    digest, size = _digest(target)
    with tarfile.open(target) as archive:
        manifest = archive.extractfile(MANIFEST)
        lines = manifest.read() if manifest else b""
    files = lines.count(b"\n")
    count = "1 file" if files == 1 else f"{files} files"
    return TaskProof(
        text=f"{count} of {source} archived in {target.name}",
        digest=f"sha256:{digest}",
        data={
            "archive": str(target),
            "bytes": size,
            "files": files,
            "manifest": "sha256:" + sha256(lines).hexdigest(),
        },
    )
