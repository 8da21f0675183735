"""Whether a file lies where SQLite must not be: on a share that several machines mount.

SQLite's write-ahead log is in memory that all who use the file share, which no two machines do
(sqlite.org/wal.html); locks of network file systems are often none.
"""

from __future__ import annotations

import re
from pathlib import Path

SHARES = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afs|ceph|glusterfs|lustre|fuse\.(sshfs|glusterfs|s3fs|rclone)"
)

MOUNTS = Path("/proc/self/mountinfo")


def share_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of network share that the file is on; None where there is none, or nobody knows."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:  # not on Linux
        return None
    place, found, depth = path.resolve(), None, -1
    for line in lines:
        # … 4: mount point, … - 0: type; spaces of names are octal (proc(5)).
        here, _, there = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), here.split()[4]))
        if place.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = there.split()[0], len(point.parts)
    return found if found and SHARES.fullmatch(found) else None
