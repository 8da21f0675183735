"""Archives come out the same every time, and hold nothing from outside their root."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from acting import Acting, order_of
from temporalio.exceptions import ApplicationError

from activities import ActivitySettings, act_archive
from activities import archive as archives
from activities.outcomes import Done
from ledger import Ledger
from phasegate.sunset_ports import TaskProof

KEY = "product/atlas/sunset#archive-source"


@pytest.fixture
def settings(tmp_path: Path) -> ActivitySettings:
    root = tmp_path / "root"
    source = root / "atlas"
    (source / "src" / "deep").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "README.md").write_text("# Atlas\n")
    (source / "src" / "run.sh").write_text("#!/bin/sh\n")
    (source / "src" / "run.sh").chmod(0o750)
    (source / "src" / "deep" / "data.bin").write_bytes(os.urandom(300_000))
    (source / "src" / "ünï\ncode \\ name").write_text("odd")
    (source / os.fsdecode(b"latin-\xe9")).write_text("older")
    (source / ("long-" * 40)).write_text("long")
    (source / "link").symlink_to("src/run.sh")
    (source / "absolute").symlink_to(source / "src")
    return ActivitySettings(archive_root=root, archives=tmp_path / "new" / "archives")


async def archive(
    settings: ActivitySettings, source: str = "{product}", key: str = KEY
) -> TaskProof:
    # No act that can be undone needs the ledger.
    acting = Acting(Ledger("sqlite:////nowhere/ledger.db"), settings)
    return await acting.done(order_of({"kind": "archive", "source": source}, key=key))


async def refused(settings: ActivitySettings, source: str) -> ApplicationError:
    with pytest.raises(ApplicationError) as error:
        await archive(settings, source)
    assert not error.value.non_retryable
    assert not list(settings.archives.glob("*")) if settings.archives.exists() else True
    return error.value


async def test_the_proof_is_of_the_file(settings: ActivitySettings) -> None:
    proof = await archive(settings)
    (path,) = settings.archives.iterdir()
    assert path.name.startswith("product-atlas-sunset-archive-source-")
    assert path.name.endswith(".tar.gz")
    content = path.read_bytes()
    assert proof.digest == "sha256:" + sha256(content).hexdigest()
    assert proof.data["archive"] == str(path)
    assert proof.data["bytes"] == len(content)
    assert proof.data["files"] == 6
    assert "6 files of atlas archived" in proof.text


async def test_common_tools_unpack_it_and_check_the_manifest(
    settings: ActivitySettings, tmp_path: Path
) -> None:
    path = (await archive(settings)).data["archive"]
    target = tmp_path / "unpacked"
    target.mkdir()
    check = ["sha256sum", "--check", "--quiet", "MANIFEST.sha256"]
    await asyncio.to_thread(subprocess.run, ["tar", "xzf", path, "-C", target], check=True)
    await asyncio.to_thread(subprocess.run, check, cwd=target, check=True)
    unpacked = target / "files" / "atlas"
    assert (unpacked / "README.md").read_text() == "# Atlas\n"
    assert os.access(unpacked / "src" / "run.sh", os.X_OK)
    assert (unpacked / "empty").is_dir()
    assert os.readlink(unpacked / "link") == "src/run.sh"
    assert os.readlink(unpacked / "absolute") == "src"
    assert (unpacked / "src" / "ünï\ncode \\ name").read_text() == "odd"


async def test_repeating_gives_the_same_bytes(settings: ActivitySettings, tmp_path: Path) -> None:
    first = await archive(settings)
    source = settings.archive_root / "atlas"
    copy = tmp_path / "copied" / "atlas"
    shutil.copytree(source, copy, symlinks=True, copy_function=shutil.copyfile)
    (copy / "src" / "run.sh").chmod(0o755)
    (copy / "absolute").unlink()
    (copy / "absolute").symlink_to(copy / "src")
    os.utime(copy / "README.md", (1, 1))
    elsewhere = ActivitySettings(archive_root=copy.parent, archives=tmp_path / "others")
    second = await archive(elsewhere)
    assert first.digest == second.digest == (await archive(settings)).digest
    assert len(list(settings.archives.iterdir())) == 1
    with tarfile.open(first.data["archive"]) as packed:
        names = packed.getnames()
        assert all(m.mtime == m.uid == m.gid == 0 and not m.uname for m in packed.getmembers())
    assert names[0] == "files/atlas"
    assert names[-1] == "MANIFEST.sha256"


async def test_packed_again_from_less_the_first_archive_stays(settings: ActivitySettings) -> None:
    first = await archive(settings)
    (settings.archive_root / "atlas" / "README.md").unlink()
    second = await archive(settings)
    assert (await archive(settings)).digest == second.digest != first.digest
    kept = {sha256(path.read_bytes()).hexdigest() for path in settings.archives.iterdir()}
    assert kept == {one.digest.removeprefix("sha256:") for one in (first, second)}


async def test_a_single_file(settings: ActivitySettings) -> None:
    proof = await archive(settings, "{product}/README.md")
    with tarfile.open(proof.data["archive"]) as packed:
        assert packed.getnames() == ["files/README.md", "MANIFEST.sha256"]


async def test_other_keys_are_other_archives(settings: ActivitySettings) -> None:
    keys = ["a/b", "a-b", "a b", "../../a", "..", "", "-", "a" * 300, "plain"]
    paths = {(await archive(settings, "atlas/README.md", key)).data["archive"] for key in keys}
    assert len(paths) == len(keys)
    assert {Path(path).parent for path in paths} == {settings.archives}
    assert str(settings.archives / "plain.tar.gz") in paths


async def test_a_missing_source_is_waited_for(settings: ActivitySettings) -> None:
    error = await refused(settings, "{product}-contracts")
    assert error.type == "archive-source-missing"
    assert str(settings.archive_root / "atlas-contracts") in error.message
    assert "PHASEGATE_ARCHIVE_ROOT" in error.message
    missing = ActivitySettings(Path("/no/such/root"), settings.archives)
    assert (await refused(missing, "{product}")).type == "archive-source-missing"


async def test_a_source_deleted_after_its_archive_was_made_is_proven_by_it(
    settings: ActivitySettings,
) -> None:
    first = await archive(settings)
    shutil.rmtree(settings.archive_root / "atlas")
    assert await archive(settings) == first
    await asyncio.to_thread(Path(first.data["archive"]).write_bytes, b"cut off")
    with pytest.raises(ApplicationError) as error:
        await archive(settings)
    assert error.value.type == "archive-failed"


@pytest.mark.parametrize("source", ["../root/atlas", "/etc", "atlas/../../x", "a\0b", ".."])
async def test_paths_that_lead_out_are_refused(settings: ActivitySettings, source: str) -> None:
    assert (await refused(settings, source)).type == "archive-refused"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../other", "/", "no-such/../../../x", ".."])
async def test_links_that_lead_out_are_refused(settings: ActivitySettings, target: str) -> None:
    (settings.archive_root / "atlas" / "src" / "out").symlink_to(target)
    (settings.archive_root / "other").mkdir()
    error = await refused(settings, "atlas/src")
    assert error.type == "archive-refused"
    assert "src/out" in error.message
    assert (await refused(settings, "atlas/src/out/passwd")).type in (
        "archive-refused",
        "archive-source-missing",
    )


async def test_a_source_that_is_a_link_out_of_the_root_is_refused(
    settings: ActivitySettings,
) -> None:
    (settings.archive_root / "away").symlink_to("/etc")
    assert (await refused(settings, "away")).type == "archive-refused"
    assert (await refused(settings, "away/passwd")).type == "archive-refused"


async def test_what_is_neither_file_nor_folder_is_refused(settings: ActivitySettings) -> None:
    os.mkfifo(settings.archive_root / "atlas" / "pipe")
    error = await refused(settings, "atlas")
    assert error.type == "archive-refused"
    assert "pipe" in error.message


async def test_links_in_a_circle_do_not_hang(settings: ActivitySettings) -> None:
    source = settings.archive_root / "atlas"
    (source / "self").symlink_to("self")
    (source / "up").symlink_to("src/..")
    assert (await archive(settings)).data["files"] == 6


async def test_a_full_disk_leaves_nothing_half_done_and_heals(settings: ActivitySettings) -> None:
    settings.archives.parent.mkdir()
    settings.archives.write_text("a file where the folder should be")
    with pytest.raises(ApplicationError) as error:
        await archive(settings)
    assert error.value.type == "archive-failed"
    settings.archives.unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(ApplicationError) as error:
            await archive(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.type == "archive-failed"
    assert list(settings.archives.iterdir()) == []
    assert (await archive(settings)).data["files"] == 6


def test_where_archives_go(tmp_path: Path) -> None:
    env = {"PHASEGATE_DATA_DIR": str(tmp_path)}
    assert ActivitySettings.from_env(env) == ActivitySettings(
        tmp_path / "archive-source", tmp_path / "archives"
    )
    env["PHASEGATE_ARCHIVE_ROOT"] = "/srv/products"
    assert ActivitySettings.from_env(env).archive_root == Path("/srv/products")


async def test_one_that_is_cancelled_packs_no_further(
    settings: ActivitySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_it, let_go = threading.Event(), threading.Event()
    seen: list[Path] = []

    def slow(path: Path) -> Iterator[Path]:
        for found in walk(path):
            seen.append(found)
            at_it.set()
            let_go.wait(30)
            yield found

    walk = archives._walk
    monkeypatch.setattr(archives, "_walk", slow)
    acting = Acting(Ledger("sqlite:////nowhere/ledger.db"), settings)
    env = acting.environment()
    order = order_of({"kind": "archive", "source": "atlas"})
    running = asyncio.ensure_future(env.run(acting.acts.carry_out, order))
    await asyncio.to_thread(at_it.wait, 30)
    env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    let_go.set()
    await asyncio.to_thread(act_archive._THREADS.submit(lambda: None).result, 30)
    while any(settings.archives.glob("*")) or any(settings.archives.glob(".*")):
        await asyncio.to_thread(threading.Event().wait, 0.01)
    assert len(seen) == 1


def test_a_file_that_grows_is_packed_as_long_as_it_was(tmp_path: Path) -> None:
    """Its header says how long it is; what is added later is not read without end."""
    (log := tmp_path / "log").write_bytes(b"1234")
    target = tmp_path / "out.tar"

    class Growing(tarfile.TarFile):
        def addfile(self, tarinfo: tarfile.TarInfo, fileobj: Any = None) -> None:
            with log.open("ab") as more:
                more.write(b"5678" * 1000)
            super().addfile(tarinfo, fileobj)

    with Growing.open(target, "w") as packing:
        digest = archives._add(packing, tarfile.TarInfo("files/log"), log)
    with tarfile.open(target) as packed:
        kept = packed.extractfile("files/log")
        assert kept is not None
        assert kept.read() == b"1234"
    assert digest == sha256(b"1234").hexdigest()


def test_what_became_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    with (
        tarfile.open(tmp_path / "out.tar", "w") as packing,
        pytest.raises(archives._Refused, match="is no file any more"),
    ):
        archives._add(packing, tarfile.TarInfo("files/pipe"), pipe)


def test_deep_folders_do_not_end_it(settings: ActivitySettings) -> None:
    folder = top = settings.archive_root / "deep"
    for _ in range(1200):
        folder.mkdir()
        folder /= "d"
    folder.write_text("deep")
    packed = archives.pack(settings, "deep", KEY)
    assert isinstance(packed, Done)
    assert packed.proof.data["files"] == 1
    subprocess.run(["rm", "-rf", str(top)], check=True)  # too deep for Python's own
