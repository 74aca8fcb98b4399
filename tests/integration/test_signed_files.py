"""Key record and ledger head in signed files: what is noticed, and what is not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.application.errors import HsmError, KeyCheckFailed
from console.application.ports.vault import HeadAnchor
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from hsm import capabilities as names
from hsm.provision import check_token, provision
from hsm.removal import SetUp
from hsm.signed_files import HEAD_FILE, RECORD_FILE
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from tests.contract.vaults import Clock
from tests.shim import Shim
from tests.softhsm import USER_PIN

pytestmark = pytest.mark.hsm

HEADS = [HeadAnchor(number, bytes([number]) * 32) for number in range(1, 4)]


@pytest.fixture
def settings(shim: Shim, tmp_path: Path) -> Pkcs11Settings:
    shim.restrict("no-data")
    settings = shim.settings(tmp_path, shim.token())
    provision(settings, SecretBytes(USER_PIN))
    return settings


@pytest.fixture
async def vault(settings: Pkcs11Settings) -> AsyncIterator[Pkcs11Vault]:
    vault = Pkcs11Vault(settings, now_ms=Clock())
    yield vault
    await vault.close()


async def unlocked_head(vault: Pkcs11Vault) -> HeadAnchor | None:
    await unlock(vault)
    return await vault.anchor.read()


async def unlock(vault: Pkcs11Vault) -> None:
    await vault.unlock(SecretBytes(USER_PIN))


@pytest.mark.parametrize("words", ["no-data", "objects=100"])
def test_the_table_tells_the_weaker_promise(shim: Shim, tmp_path: Path, words: str) -> None:
    label = shim.token()
    shim.restrict(words)
    table = check_token(
        shim.settings(tmp_path, label), SecretBytes(USER_PIN), SetUp(identifier=bytes(16))
    )
    rows = [row for row in table.rows if row.name in {names.LEDGER_HEAD, names.KEY_RECORD}]
    assert table.in_files
    assert len(rows) == 2
    for row in rows:
        assert row.fits
        assert "is not noticed" in row.used
    assert not any(tmp_path.iterdir())


async def test_the_status_tells_it_too(vault: Pkcs11Vault) -> None:
    assert "is not noticed" in (await vault.status()).backing
    await unlock(vault)
    assert "is not noticed" in (await vault.status()).backing


@pytest.mark.parametrize("name", [RECORD_FILE, HEAD_FILE])
async def test_every_altered_byte_is_found(
    vault: Pkcs11Vault, settings: Pkcs11Settings, name: str
) -> None:
    await unlock(vault)
    await vault.anchor.write(HEADS[0])
    await vault.lock()
    path = settings.files_dir / name
    good = path.read_bytes()
    for bad in (
        *(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(0, len(good), 7)),
        good[:-1],
        good + b"\0",
        b"",
    ):
        path.write_bytes(bad)
        with pytest.raises(HsmError):
            await unlocked_head(vault)
        await vault.lock()
    path.write_bytes(good)
    await unlock(vault)
    assert await vault.anchor.read() == HEADS[0]


async def test_a_missing_head_is_a_fault_and_not_a_new_ledger(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    await unlock(vault)
    (settings.files_dir / HEAD_FILE).unlink()
    with pytest.raises(HsmError, match="missing"):
        await vault.anchor.read()
    with pytest.raises(HsmError, match="missing"):
        await vault.anchor.write(HEADS[0])


async def test_an_older_head_is_noticed_while_the_process_runs_and_not_later(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    await unlock(vault)
    path = settings.files_dir / HEAD_FILE
    await vault.anchor.write(HEADS[0])
    old = path.read_bytes()
    await vault.anchor.write(HEADS[1])
    path.write_bytes(old)
    with pytest.raises(HsmError, match="older"):
        await vault.anchor.read()
    with pytest.raises(HsmError, match="older"):
        await vault.anchor.write(HEADS[2])
    await vault.close()
    # The weaker promise: after a restart nothing here tells that the copy is an old one.
    again = Pkcs11Vault(settings, now_ms=Clock())
    await unlock(again)
    assert await again.anchor.read() == HEADS[0]
    await again.close()


async def test_files_of_another_token_are_refused(
    shim: Shim, vault: Pkcs11Vault, settings: Pkcs11Settings, tmp_path: Path
) -> None:
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = shim.settings(other_folder, shim.token())
    provision(other, SecretBytes(USER_PIN))
    await unlock(vault)
    mine = (settings.files_dir / HEAD_FILE).read_bytes()
    (settings.files_dir / HEAD_FILE).write_bytes((other.files_dir / HEAD_FILE).read_bytes())
    with pytest.raises(HsmError, match="not signed by this member"):
        await vault.anchor.read()
    (settings.files_dir / HEAD_FILE).write_bytes(mine)
    await vault.lock()
    (settings.files_dir / RECORD_FILE).write_bytes((other.files_dir / RECORD_FILE).read_bytes())
    with pytest.raises(KeyCheckFailed):
        await unlock(vault)


async def test_a_record_of_another_member_is_refused(settings: Pkcs11Settings) -> None:
    vault = Pkcs11Vault(replace(settings, member=MemberId("bob")), now_ms=Clock())
    with pytest.raises(KeyCheckFailed, match="alice"):
        await unlock(vault)
    await vault.close()


async def test_a_tokens_own_record_comes_before_a_file(shim: Shim, tmp_path: Path) -> None:
    plain = shim.settings(tmp_path, shim.token())
    provision(plain, SecretBytes(USER_PIN))
    shim.restrict("no-data")
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = shim.settings(other_folder, shim.token())
    provision(other, SecretBytes(USER_PIN))
    (plain.files_dir / RECORD_FILE).write_bytes((other.files_dir / RECORD_FILE).read_bytes())
    shim.restrict()
    vault = Pkcs11Vault(plain, now_ms=Clock())
    await unlock(vault)
    await vault.anchor.write(HEADS[0])
    assert not (plain.files_dir / HEAD_FILE).exists()
    await vault.close()


def test_a_set_up_that_fails_leaves_no_files(shim: Shim, tmp_path: Path) -> None:
    shim.restrict("no-data")
    settings = shim.settings(tmp_path, shim.token())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hsm.signed_files.SignedFiles.write_record", _full)
        with pytest.raises(HsmError, match="No space"):
            provision(settings, SecretBytes(USER_PIN))
    assert not any(tmp_path.glob("[kl]e*"))
    assert shim.objects(settings.token_label) == 0
    assert len(provision(settings, SecretBytes(USER_PIN))) == 65


def _full(*_: object) -> None:
    raise HsmError("No space left on device")
