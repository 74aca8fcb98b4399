"""VaultPort: what every vault promises."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from console.application.errors import PinLocked, SealBroken, VaultLocked, WrongPin
from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes
from tests.contract.vaults import PIN, VAULTS, VaultCase, make

HEADS = [HeadAnchor(sequence, bytes([sequence]) * 32) for sequence in range(1, 6)]


@pytest.fixture(params=VAULTS)
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VaultCase]:
    case = make(request.param, tmp_path, request)
    yield case
    await case.vault.close()


async def test_status_tells_a_locked_vault(case: VaultCase) -> None:
    # It never waits long for a look: one that has loaded nothing yet may take longer.
    status = await case.vault.status()
    for _ in range(60):
        if status.present:
            break
        await asyncio.sleep(0.5)
        status = await case.vault.status()
    assert status.present
    assert not status.unlocked
    assert status.retry_after_s == 0
    assert status.backing


async def test_unlock_opens_and_wipes_the_pin(case: VaultCase) -> None:
    pin = SecretBytes(PIN)
    await case.vault.unlock(pin)
    assert pin.wiped
    assert (await case.vault.status()).unlocked


async def test_a_wrong_pin_is_refused_wiped_and_waited_for(case: VaultCase) -> None:
    wrong = SecretBytes(b"000000")
    with pytest.raises(WrongPin):
        await case.vault.unlock(wrong)
    assert wrong.wiped
    status = await case.vault.status()
    assert not status.unlocked
    assert status.retry_after_s == 1
    with pytest.raises(PinLocked) as refused:
        await case.vault.unlock(SecretBytes(PIN))
    assert refused.value.retry_after_s == 1
    case.clock.advance(1)
    await case.unlock()


async def test_the_wait_doubles_and_a_right_pin_ends_it(case: VaultCase) -> None:
    for wait_s in (1, 2, 4):
        with pytest.raises(WrongPin):
            await case.vault.unlock(SecretBytes(b"000000"))
        assert (await case.vault.status()).retry_after_s == wait_s
        case.clock.advance(wait_s)
    await case.unlock()
    assert (await case.vault.status()).retry_after_s == 0


async def test_the_wait_survives_a_restart(case: VaultCase) -> None:
    with pytest.raises(WrongPin):
        await case.vault.unlock(SecretBytes(b"000000"))
    await case.vault.close()
    case.vault = case.reopen()
    with pytest.raises(PinLocked):
        await case.vault.unlock(SecretBytes(PIN))


async def test_verify_pin_judges_while_unlocked_and_keeps_the_session(case: VaultCase) -> None:
    await case.unlock()
    pin = SecretBytes(PIN)
    await case.vault.verify_pin(pin)
    assert pin.wiped
    wrong = SecretBytes(b"000000")
    with pytest.raises(WrongPin):
        await case.vault.verify_pin(wrong)
    assert wrong.wiped
    assert (await case.vault.status()).unlocked
    await case.vault.identity.sign(b"still here")
    case.clock.advance(1)
    await case.vault.verify_pin(SecretBytes(PIN))


async def test_unlock_of_an_unlocked_vault_still_judges_the_pin(case: VaultCase) -> None:
    await case.unlock()
    with pytest.raises(WrongPin):
        await case.vault.unlock(SecretBytes(b"000000"))


async def test_verify_pin_of_a_locked_vault_is_refused(case: VaultCase) -> None:
    pin = SecretBytes(PIN)
    with pytest.raises(VaultLocked):
        await case.vault.verify_pin(pin)
    assert pin.wiped


async def test_nothing_secret_works_while_locked(case: VaultCase) -> None:
    await case.unlock()
    blob = await case.vault.wrapping.wrap("ledger", SecretBytes(bytes(32)))
    await case.vault.lock()
    await case.vault.lock()
    with pytest.raises(VaultLocked):
        await case.vault.identity.sign(b"message")
    with pytest.raises(VaultLocked):
        await case.vault.wrapping.wrap("ledger", SecretBytes(bytes(32)))
    with pytest.raises(VaultLocked):
        await case.vault.wrapping.unwrap("ledger", blob)
    with pytest.raises(VaultLocked):
        await case.vault.anchor.read()
    with pytest.raises(VaultLocked):
        await case.vault.anchor.write(HEADS[0])


async def test_identity_signs_under_its_public_key(case: VaultCase) -> None:
    point = await case.vault.identity.public_key()
    assert len(point) == 65
    await case.unlock()
    assert await case.vault.identity.public_key() == point
    signature = await case.vault.identity.sign(b"statement")
    assert len(signature) == 64
    der = encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    public.verify(der, b"statement", ec.ECDSA(hashes.SHA256()))


async def test_the_same_keys_are_there_after_a_restart(case: VaultCase) -> None:
    await case.unlock()
    point = await case.vault.identity.public_key()
    blob = await case.vault.wrapping.wrap("ledger", SecretBytes(b"k" * 32))
    await case.vault.anchor.write(HEADS[0])
    await case.vault.close()
    case.vault = case.reopen()
    await case.unlock()
    assert await case.vault.identity.public_key() == point
    assert await case.vault.wrapping.unwrap("ledger", blob) == SecretBytes(b"k" * 32)
    assert await case.vault.anchor.read() == HEADS[0]


async def test_a_wrapped_secret_opens_for_its_purpose_only(case: VaultCase) -> None:
    await case.unlock()
    blob = await case.vault.wrapping.wrap("ledger", SecretBytes(b"k" * 32))
    assert b"k" * 8 not in blob
    with pytest.raises(SealBroken):
        await case.vault.wrapping.unwrap("tls", blob)


async def test_every_altered_byte_of_a_wrapped_secret_is_found(case: VaultCase) -> None:
    await case.unlock()
    blob = await case.vault.wrapping.wrap("ledger", SecretBytes(b"k" * 32))
    for place in range(len(blob)):
        altered = bytearray(blob)
        altered[place] ^= 1
        with pytest.raises(SealBroken):
            await case.vault.wrapping.unwrap("ledger", bytes(altered))
    for cut in (0, 1, 13, 28, len(blob) - 1):
        with pytest.raises(SealBroken):
            await case.vault.wrapping.unwrap("ledger", blob[:cut])
    with pytest.raises(SealBroken):
        await case.vault.wrapping.unwrap("ledger", blob + bytes(1))
    assert await case.vault.wrapping.unwrap("ledger", blob) == SecretBytes(b"k" * 32)


@pytest.mark.parametrize("size", [1, 32, 512])
async def test_sizes_that_can_be_wrapped(case: VaultCase, size: int) -> None:
    await case.unlock()
    blob = await case.vault.wrapping.wrap("p", SecretBytes(b"s" * size))
    assert len(await case.vault.wrapping.unwrap("p", blob)) == size


@pytest.mark.parametrize("size", [0, 513])
async def test_sizes_that_cannot_be_wrapped(case: VaultCase, size: int) -> None:
    await case.unlock()
    with pytest.raises(ValueError, match="bytes"):
        await case.vault.wrapping.wrap("p", SecretBytes(bytes(size)))


async def test_the_anchor_starts_empty_and_is_replaced(case: VaultCase) -> None:
    await case.unlock()
    assert await case.vault.anchor.read() is None
    for head in HEADS:
        await case.vault.anchor.write(head)
        assert await case.vault.anchor.read() == head


async def test_the_newest_anchor_counts_even_with_a_lower_sequence(case: VaultCase) -> None:
    await case.unlock()
    for head in reversed(HEADS):
        await case.vault.anchor.write(head)
    assert await case.vault.anchor.read() == HEADS[0]


async def test_many_calls_at_once_do_not_mix(case: VaultCase) -> None:
    await case.unlock()

    async def work(number: int) -> None:
        secret = SecretBytes(bytes([number]) * 32)
        blob = await case.vault.wrapping.wrap(f"purpose-{number}", secret)
        await case.vault.anchor.write(HEADS[number % len(HEADS)])
        assert len(await case.vault.identity.sign(blob)) == 64
        assert await case.vault.wrapping.unwrap(f"purpose-{number}", blob) == secret

    async with asyncio.TaskGroup() as group:
        for number in range(1, 40):
            group.create_task(work(number))
    assert await case.vault.anchor.read() in HEADS
