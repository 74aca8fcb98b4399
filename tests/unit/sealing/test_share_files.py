"""Share records on a disk that fails or stops: the old record or the new, and nothing beside it."""

import errno
import os
from pathlib import Path

import pytest

from console.application.errors import HsmError, SealBroken
from console.application.ports.share_storage import ShareLabel
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from console.sealing import sealed_record
from console.sealing.sealed_record import ShareFiles, record_name, write_temporary
from tests.fakes.vault import FakeSealer

LABEL = ShareLabel(WalletId("wl-1"), MemberId("alice"), SignatureKind.ECDSA_SECP256K1, 1)
OLD, NEW = b"the old share", b"the new share, which is longer"


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture
def sealer() -> FakeSealer:
    return FakeSealer()


@pytest.fixture
def files(tmp_path: Path, sealer: FakeSealer) -> ShareFiles:
    files = ShareFiles(tmp_path)
    files.seal(LABEL, SecretBytes(OLD), sealer)
    return files


def stored(files: ShareFiles, sealer: FakeSealer) -> bytes:
    with files.unseal(LABEL, sealer) as share:
        return bytes(share)


@pytest.mark.parametrize(
    ("step", "left"),
    [("write_temporary", OLD), ("replace_file", OLD), ("sync_folder", NEW), ("overwrite", NEW)],
)
def test_a_crash_leaves_the_old_record_or_the_new(
    files: ShareFiles,
    sealer: FakeSealer,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    left: bytes,
) -> None:
    def crash(*_arguments: object) -> None:
        raise Crash

    with monkeypatch.context() as crashing:
        crashing.setattr(sealed_record, step, crash)
        with pytest.raises(Crash):
            files.replace(LABEL, SecretBytes(NEW), sealer)
    assert stored(files, sealer) == left
    files.replace(LABEL, SecretBytes(NEW), sealer)
    assert stored(files, sealer) == NEW


def test_a_full_disk_leaves_the_old_record(
    files: ShareFiles, sealer: FakeSealer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", full)
        with pytest.raises(HsmError, match="No space"):
            files.replace(LABEL, SecretBytes(NEW), sealer)
    assert stored(files, sealer) == OLD
    assert [path.name for path in tmp_path.iterdir()] == [record_name(LABEL)]


def test_a_seal_that_does_not_open_replaces_nothing(
    files: ShareFiles, sealer: FakeSealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as damaged:
        damaged.setattr(sealer, "open", lambda _associated, _sealed: SecretBytes(OLD))
        with pytest.raises(SealBroken):
            files.replace(LABEL, SecretBytes(NEW), sealer)
    assert stored(files, sealer) == OLD


def test_the_blocks_of_the_old_record_are_overwritten(
    files: ShareFiles, sealer: FakeSealer, tmp_path: Path
) -> None:
    path = tmp_path / record_name(LABEL)
    with path.open("rb") as old:
        size = len(old.read())
        files.replace(LABEL, SecretBytes(NEW), sealer)
        old.seek(0)
        assert old.read() == bytes(size)
    assert stored(files, sealer) == NEW


def test_a_disk_that_does_not_overwrite_still_has_the_new_record(
    files: ShareFiles, sealer: FakeSealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_stream: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sealed_record, "overwrite", fails)
    files.replace(LABEL, SecretBytes(NEW), sealer)
    assert stored(files, sealer) == NEW


def test_a_system_that_replaces_no_open_file_has_the_new_record(
    files: ShareFiles, sealer: FakeSealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        files.replace(LABEL, SecretBytes(NEW), sealer)
    assert stored(files, sealer) == NEW


def test_an_erased_share_is_gone_with_what_a_crash_left_of_it(
    files: ShareFiles, tmp_path: Path
) -> None:
    path = tmp_path / record_name(LABEL)
    write_temporary(path, path.read_bytes())
    other = tmp_path / "another.share.00.tmp"
    other.write_bytes(b"of another share")
    files.erase(LABEL)
    assert list(tmp_path.iterdir()) == [other]
    write_temporary(path, b"a record that never took its place")
    files.erase(LABEL)
    assert list(tmp_path.iterdir()) == [other]
