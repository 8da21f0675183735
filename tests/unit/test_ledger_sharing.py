"""An SQLite ledger on a network share is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.sharing import share_of

MOUNTS = """\
22 1 0:21 / / rw,relatime - ext4 /dev/vda1 rw
30 22 0:30 / /srv rw,relatime shared:1 - nfs4 files:/srv rw,vers=4.2
31 30 0:31 / /srv/local\\040disk rw - xfs /dev/vdb rw
32 22 0:32 / /mnt/team rw - cifs //files/team rw
33 22 0:33 / /home/me/far rw - fuse.sshfs me@far: rw
"""


@pytest.mark.parametrize(
    ("path", "share"),
    [
        ("/var/lib/phasegate/ledger.db", None),
        ("/srv/phasegate/ledger.db", "nfs4"),
        ("/srv/local disk/ledger.db", None),
        ("/srvx/ledger.db", None),
        ("/mnt/team/ledger.db", "cifs"),
        ("/home/me/far/ledger.db", "fuse.sshfs"),
    ],
)
def test_the_file_system_that_holds_the_file_is_found(
    path: str, share: str | None, tmp_path: Path
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert share_of(Path(path), mounts) == share


def test_this_machine_and_one_that_does_not_tell(tmp_path: Path) -> None:
    assert share_of(tmp_path / "ledger.db") is None
    assert share_of(tmp_path / "ledger.db", tmp_path / "nothing") is None
