"""Every ending of a session: recorded before it is told, with nothing left in memory."""

from collections.abc import Awaitable, Callable

import pytest

from console.application.errors import (
    LedgerUnavailable,
    VaultLocked,
)
from console.application.peers.signed_statements import to_signed
from console.application.peers.statements import (
    SessionFailure,
)
from console.application.ports.threshold import KeyMaterial
from console.application.sessions.protocol_session import FailureKind, SessionFailed
from console.domain.ids import WalletId
from console.domain.key_ceremony import CeremonyState
from console.domain.values import MAX_REASON
from console.domain.verdicts import Verdict
from tests.unit.application.ceremonies.scenes import (
    BLAME,
    CEREMONY,
    CHANGE,
    LATER,
    TIMEOUT,
    accepted,
    ceremony_of,
    certified,
    change_accepted,
    change_sealed,
    info,
    outcome,
    refreshed,
    running,
    sealed,
)
from tests.unit.application.desk import Desk, opened_by
from tests.unit.domain.facts import BEN, CHIARA, FIRST, KIND, WALLET
from tests.unit.domain.facts import SECOND as ANOTHER_SESSION


async def test_a_failure_is_recorded_and_told() -> None:
    desk = await running()
    desk.steps.clear()
    await desk.key_generation.failed(info(), BLAME)
    assert desk.taken() == [
        "recorded SessionAborted",
        "recorded CeremonySessionFailed",
        "told SessionFailure",
    ]
    (told,) = desk.told
    assert isinstance(told, SessionFailure)
    assert (told.blamed, told.reason) == ((BEN, CHIARA), "a share does not verify")
    assert ceremony_of(desk).attempts[0].blamed == (BEN, CHIARA)
    (verdict,) = desk.aggregates.verdicts
    assert (verdict.verdict, verdict.wallet, verdict.epoch) == (Verdict.BLAME, WalletId(""), 0)


async def test_silence_is_no_verdict() -> None:
    desk = await running()
    await desk.key_generation.failed(info(), TIMEOUT)
    assert desk.aggregates.verdicts == []
    assert ceremony_of(desk).attempts[0].failure == "no answer from ben"


async def test_a_verdict_that_cannot_be_recorded_is_not_told() -> None:
    desk = await running()
    desk.ledger.fail_next = True
    with pytest.raises(LedgerUnavailable):
        await desk.key_generation.failed(info(), BLAME)
    assert desk.told == []


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", "no reason was given"),
        ("x" * 999, "x" * 279 + "\u2026"),
        ("a message of kind x\x00\u202ey\n", "a message of kind x\ufffd\ufffdy\ufffd"),
    ],
)
async def test_a_reason_fits_the_statement(reason: str, told: str) -> None:
    assert MAX_REASON == 280
    desk = await running()
    await desk.key_generation.failed(info(), SessionFailed(FailureKind.REFUSED, reason))
    assert ceremony_of(desk).attempts[0].failure == told
    # The others take it: what they refuse is blame that is lost.
    (statement,) = desk.told
    signed = to_signed((await desk.voices[desk.me].sign(statement)).evidence)
    me = desk.aggregates.members[desk.me]
    assert desk.voices[BEN].verify(signed, me).statement == statement


async def in_use(desk: Desk) -> KeyMaterial:
    """Open a session of a change, and give the share that it uses."""
    opened = opened_by(desk)
    await desk.key_generation.open(info(LATER, CHANGE))
    assert not opened[0].share.secret.wiped
    return opened[0]


async def test_every_ending_wipes_the_share_in_use() -> None:
    async def succeeded(desk: Desk) -> None:
        await desk.key_generation.succeeded(info(LATER, CHANGE), outcome())

    async def failed(desk: Desk) -> None:
        await desk.key_generation.failed(info(LATER, CHANGE), TIMEOUT)

    async def blamed_without_a_ledger(desk: Desk) -> None:
        desk.ledger.fail_next = True
        with pytest.raises(LedgerUnavailable):
            await desk.key_generation.failed(info(LATER, CHANGE), BLAME)

    async def succeeded_without_a_vault(desk: Desk) -> None:
        await desk.vault.lock()
        with pytest.raises(VaultLocked):
            await desk.key_generation.succeeded(info(LATER, CHANGE), outcome())

    async def forgotten(desk: Desk) -> None:
        desk.key_generation.forget()

    for ending in (
        succeeded,
        failed,
        blamed_without_a_ledger,
        succeeded_without_a_vault,
        forgotten,
    ):
        desk = await change_accepted()
        held = await in_use(desk)
        await ending(desk)
        assert held.share.secret.wiped, ending.__name__


async def test_another_session_s_ending_wipes_nothing() -> None:
    desk = await change_accepted()
    held = await in_use(desk)
    await desk.key_generation.failed(info(ANOTHER_SESSION, CHANGE), TIMEOUT)
    assert not held.share.secret.wiped


async def test_a_session_under_way_is_over_after_a_restart() -> None:
    desk = await running()
    after = await desk.reopened()
    await after.key_generation.burn_interrupted()
    assert ceremony_of(after).running is None
    (told,) = after.told
    assert isinstance(told, SessionFailure)
    assert (told.session, told.reason) == (FIRST, "ana was restarted")
    await after.key_generation.burn_interrupted()
    assert len(after.told) == 1


async def test_a_share_that_was_sealed_before_a_crash_but_not_recorded_is_erased() -> None:
    desk = await running()
    desk.ledger.fail_next = True
    with pytest.raises(LedgerUnavailable):
        await desk.key_generation.succeeded(info(), outcome())
    assert await desk.shares.holds(WALLET, KIND, 0)
    after = await desk.reopened()
    await after.key_generation.burn_interrupted()
    assert not await after.shares.holds(WALLET, KIND, 0)
    # Why it is gone is on record before it is gone.
    assert after.taken() == [
        "recorded CeremonySessionFailed",
        "told SessionFailure",
        f"erased {KIND.value} 0",
    ]


async def test_a_share_that_a_crash_left_after_the_failure_was_recorded_is_erased() -> None:
    desk = await running()
    share = outcome()[0][1].held
    assert share is not None
    await desk.shares.seal(WALLET, KIND, 0, share)
    failed = SessionFailure(
        at_ms=desk.now_ms, subject=CEREMONY, session=FIRST, reason="too late", blamed=()
    )
    await desk.hear(BEN, failed)
    assert await desk.shares.holds(WALLET, KIND, 0)
    after = await desk.reopened()
    await after.key_generation.burn_interrupted()
    await after.epochs.resume()
    assert not await after.shares.holds(WALLET, KIND, 0)


@pytest.mark.parametrize("scene", [accepted, sealed, certified, change_sealed, refreshed])
async def test_what_is_not_under_way_outlives_a_restart(
    scene: Callable[[], Awaitable[Desk]],
) -> None:
    desk = await scene()
    held = await desk.shares.stored(WALLET)
    after = await desk.reopened()
    await after.key_generation.burn_interrupted()
    assert after.steps == []
    assert await after.shares.stored(WALLET) == held


async def test_the_late_failure_of_an_earlier_session_leaves_what_is_sealed() -> None:
    desk = await running()
    await desk.key_generation.failed(info(), TIMEOUT)
    await desk.key_generation.open(info(ANOTHER_SESSION))
    await desk.key_generation.succeeded(info(ANOTHER_SESSION), outcome())
    await desk.key_generation.failed(info(), TIMEOUT)
    assert await desk.shares.holds(WALLET, KIND, 0)
    assert ceremony_of(desk).state is CeremonyState.SEALED
