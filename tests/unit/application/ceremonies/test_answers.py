"""Answers, failures and confirmations: recorded once, or refused in words."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from console.application.errors import LedgerUnavailable
from console.application.peers.signed_statements import StatementRefused
from console.application.peers.statements import (
    AnyStatement,
    CeremonyAcceptance,
    CeremonyCancellation,
    CeremonyRefusal,
    CodeConfirmation,
    SessionFailure,
)
from console.domain.errors import (
    Conflict,
    Expired,
    NotYetPossible,
    UnknownMember,
)
from console.domain.events import CeremonyCodeConfirmed
from console.domain.ids import CeremonyId
from console.domain.key_ceremony import CeremonyState
from tests.unit.application.ceremonies.scenes import (
    CHANGE,
    LATER,
    accept,
    accepted,
    ceremony_of,
    certified,
    change,
    change_accepted,
    change_sealed,
    confirm,
    confirmation,
    nothing_recorded,
    proposed,
    running,
    seal_of,
    sealed,
    wallet_of,
)
from tests.unit.application.desk import HOUR_MS, Desk
from tests.unit.domain.facts import (
    ANA,
    BEN,
    CEREMONY,
    CHIARA,
    CUSTODIANS,
    EVE,
    FIRST,
    KIND,
    SECOND,
    WALLET,
)


def cancelled(desk: Desk) -> CeremonyCancellation:
    return CeremonyCancellation(desk.now_ms, CEREMONY, "a wrong list")


def refused(desk: Desk) -> CeremonyRefusal:
    return CeremonyRefusal(desk.now_ms, CEREMONY, "too low a threshold")


def failure(desk: Desk, session: str = FIRST, ceremony: CeremonyId = CEREMONY) -> SessionFailure:
    return SessionFailure(
        at_ms=desk.now_ms, subject=ceremony, session=session, reason="too late", blamed=(BEN,)
    )


async def test_when_all_have_accepted_the_ceremony_may_run() -> None:
    desk = await proposed()
    await accept(desk, ANA, BEN)
    assert ceremony_of(desk).state is CeremonyState.PROPOSED
    await accept(desk, CHIARA)
    assert ceremony_of(desk).state is CeremonyState.ACCEPTED
    steps = desk.taken()
    await accept(desk, CHIARA)
    assert desk.taken() == []
    assert steps[-1] == "recorded CeremonyAccepted"


async def test_an_acceptance_of_another_text_is_refused() -> None:
    desk = await proposed()
    with pytest.raises(Conflict, match="ben accepted another text"):
        await desk.hear(BEN, CeremonyAcceptance(desk.now_ms, CEREMONY, bytes(32)))
    assert ceremony_of(desk).accepted == ()


async def test_a_late_acceptance_is_refused() -> None:
    desk = await proposed()
    desk.clock.advance(HOUR_MS / 1000)
    with pytest.raises(Expired):
        await accept(desk, BEN)


@pytest.mark.parametrize("statement", [cancelled, refused])
async def test_a_stranger_has_no_say(statement: Callable[[Desk], AnyStatement]) -> None:
    desk = await proposed()
    with pytest.raises(UnknownMember, match="eve takes no part"):
        await desk.hear(EVE, statement(desk))
    with pytest.raises(UnknownMember, match="eve takes no part"):
        await accept(desk, EVE)
    assert ceremony_of(desk).state is CeremonyState.PROPOSED


async def test_what_is_said_of_an_unknown_ceremony_has_to_wait() -> None:
    desk = await Desk().open()
    told: list[AnyStatement] = [
        CeremonyAcceptance(desk.now_ms, CEREMONY, bytes(32)),
        refused(desk),
        cancelled(desk),
        failure(desk),
        CodeConfirmation(
            at_ms=desk.now_ms, ceremony=CEREMONY, session=FIRST, certificate_signature=b"s" * 64
        ),
    ]
    for statement in told:
        with pytest.raises(NotYetPossible, match="ceremony is not known"):
            await desk.hear(BEN, statement)


async def test_a_refusal_ends_the_ceremony() -> None:
    desk = await proposed()
    await desk.hear(BEN, refused(desk))
    declined = ceremony_of(desk).declined
    assert declined is not None
    assert (declined.member, declined.reason) == (BEN, "too low a threshold")
    # An acceptance may arrive later than a refusal: it is recorded and changes nothing.
    await accept(desk, CHIARA)
    assert ceremony_of(desk).state is CeremonyState.DECLINED


async def test_a_refusal_outweighs_the_same_member_s_acceptance() -> None:
    desk = await accepted()
    await desk.hear(BEN, refused(desk))
    assert ceremony_of(desk).state is CeremonyState.DECLINED


async def test_a_cancellation_is_recorded_before_pending_shares_go() -> None:
    desk = await sealed()
    await desk.hear(BEN, cancelled(desk))
    assert desk.taken() == ["recorded CeremonyAborted", f"erased {KIND.value} 0"]
    aborted = ceremony_of(desk).aborted
    assert aborted is not None
    assert (aborted.member, aborted.reason) == (BEN, "a wrong list")


async def test_a_share_that_this_member_has_certified_outlives_a_cancellation() -> None:
    desk = await sealed()
    await confirm(desk, ANA)
    await desk.hear(BEN, cancelled(desk))
    assert await desk.shares.holds(WALLET, KIND, 0)
    # The others have certified: the keys exist.
    await confirm(desk, BEN, CHIARA)
    assert ceremony_of(desk).state is CeremonyState.CERTIFIED
    assert WALLET in desk.aggregates.wallets


async def test_a_ceremony_without_shares_has_none_to_erase() -> None:
    desk = await certified()
    await desk.hear(ANA, change(desk))
    text = CeremonyCancellation(desk.now_ms, CHANGE, "not now")
    desk.steps.clear()
    await desk.hear(BEN, text)
    assert desk.taken() == ["recorded CeremonyAborted"]
    assert await desk.shares.holds(WALLET, KIND, 0)


async def test_a_certified_ceremony_is_not_cancelled() -> None:
    desk = await certified()
    await desk.hear(BEN, cancelled(desk))
    assert ceremony_of(desk).state is CeremonyState.CERTIFIED
    assert await desk.shares.holds(WALLET, KIND, 0)


async def test_a_member_whose_session_failed_undoes_the_shares_of_all() -> None:
    desk = await sealed()
    await desk.hear(CHIARA, failure(desk))
    assert desk.taken() == ["recorded CeremonySessionFailed", f"erased {KIND.value} 0"]
    ceremony = ceremony_of(desk)
    assert ceremony.sealed is None
    assert (ceremony.attempts[0].failure, ceremony.attempts[0].blamed) == ("too late", (BEN,))
    with pytest.raises(NotYetPossible, match="sealed no share of that session"):
        await desk.hear(
            BEN,
            CodeConfirmation(
                at_ms=desk.now_ms, ceremony=CEREMONY, session=FIRST, certificate_signature=bytes(64)
            ),
        )


async def test_a_stranger_s_session_is_none_of_ours() -> None:
    desk = await sealed()
    with pytest.raises(UnknownMember, match="eve takes no part"):
        await desk.hear(EVE, failure(desk))
    assert await desk.shares.holds(WALLET, KIND, 0)
    assert seal_of(desk).session == FIRST


async def test_the_failure_of_another_session_undoes_nothing() -> None:
    desk = await sealed()
    await nothing_recorded(desk, CHIARA, failure(desk, SECOND))
    assert await desk.shares.holds(WALLET, KIND, 0)


async def test_a_session_that_this_member_certified_is_not_undone_by_others() -> None:
    desk = await sealed()
    await confirm(desk, ANA)
    await nothing_recorded(desk, CHIARA, failure(desk))
    assert await desk.shares.holds(WALLET, KIND, 0)
    assert ceremony_of(desk).attempts[0].failure == ""


async def test_the_session_under_way_fails_when_a_participant_says_so() -> None:
    desk = await running()
    await desk.hear(BEN, failure(desk))
    assert ceremony_of(desk).running is None
    await nothing_recorded(desk, CHIARA, failure(desk))


async def test_the_failure_of_a_change_leaves_the_shares_in_use() -> None:
    desk = await change_sealed()
    await desk.hear(BEN, failure(desk, LATER, CHANGE))
    assert await desk.shares.stored(WALLET) == ((KIND, 0),)


async def test_the_last_confirmation_makes_the_wallet() -> None:
    desk = await sealed()
    await confirm(desk, ANA, BEN)
    assert WALLET not in desk.aggregates.wallets
    desk.steps.clear()
    await confirm(desk, CHIARA)
    assert desk.taken()[:2] == ["recorded CeremonyCodeConfirmed", "recorded WalletActivated"]
    wallet = wallet_of(desk)
    assert (wallet.epoch, wallet.name, wallet.kinds) == (0, "Treasury", (KIND,))
    assert [index for index, _ in wallet.certificate] == [1, 2, 3]


async def test_a_repeated_confirmation_changes_nothing() -> None:
    desk = await sealed()
    await confirm(desk, BEN)
    desk.steps.clear()
    await confirm(desk, BEN)
    assert desk.steps == []


@pytest.mark.parametrize("scene", [accepted, running])
async def test_keys_that_this_member_has_not_sealed_cannot_be_confirmed(
    scene: Callable[[], Awaitable[Desk]],
) -> None:
    desk = await scene()
    text = CodeConfirmation(
        at_ms=desk.now_ms, ceremony=CEREMONY, session=FIRST, certificate_signature=bytes(64)
    )
    with pytest.raises(NotYetPossible, match="sealed no share of that session"):
        await desk.hear(BEN, text)


async def test_a_confirmation_is_for_the_session_that_this_member_has_sealed() -> None:
    desk = await sealed()
    text = await confirmation(desk, BEN)
    with pytest.raises(NotYetPossible, match="that session"):
        await desk.hear(BEN, msgspec.structs.replace(text, session=SECOND))


async def test_a_signature_over_other_keys_confirms_nothing() -> None:
    desk = await sealed()
    text = await confirmation(desk, BEN)
    other = await desk.vaults[BEN].identity.sign(b"other keys")
    with pytest.raises(StatementRefused, match="does not hold"):
        await desk.hear(BEN, msgspec.structs.replace(text, certificate_signature=other))
    with pytest.raises(StatementRefused, match="does not hold"):
        await desk.hear(CHIARA, text)
    assert ceremony_of(desk).confirmations == ()


async def test_who_takes_no_part_confirms_nothing() -> None:
    desk = await sealed()
    with pytest.raises(UnknownMember, match="eve takes no part"):
        await confirm(desk, EVE)


async def test_a_change_needs_who_leaves_as_well() -> None:
    desk = await change_accepted(
        purpose="reshare", custodians=(ANA, CHIARA, EVE), dealers=CUSTODIANS
    )
    assert ceremony_of(desk, CHANGE).participants == (ANA, BEN, CHIARA, EVE)


async def test_a_failure_that_arrives_while_this_member_certifies_erases_nothing() -> None:
    desk = await sealed()
    append = desk.ledger.append

    async def slowly(*given: object) -> object:
        await asyncio.sleep(0.01)
        return await append(*given)

    desk.ledger.append = slowly
    certifying = asyncio.create_task(confirm(desk, desk.me))
    await asyncio.sleep(0.005)
    assert not ceremony_of(desk).has_confirmed(desk.me)
    await desk.hear(CHIARA, failure(desk))
    await certifying
    assert ceremony_of(desk).has_confirmed(desk.me)
    assert await desk.shares.holds(WALLET, KIND, 0)
    assert "recorded CeremonySessionFailed" not in desk.steps


@pytest.mark.parametrize("ends", ["fails", "cancelled"])
async def test_a_certificate_that_may_be_on_record_keeps_its_share(ends: str) -> None:
    """What failed, or was given up, may be on the disk all the same."""
    desk = await sealed()
    sign, append, signed = desk.vault.identity.sign, desk.ledger.append, 0
    reached, goes_on, committed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(message: bytes) -> bytes:
        nonlocal signed
        signed += 1
        if signed == 2:
            # The statement, after the certificate itself.
            reached.set()
            await goes_on.wait()
        return await sign(message)

    async def committing(*given: Any) -> object:
        recorded = await append(*given)
        if isinstance(recorded[0].event, CeremonyCodeConfirmed):
            committed.set()
            if ends == "fails":
                raise LedgerUnavailable("the vault does not store the ledger's head")
            await asyncio.Event().wait()
        return recorded

    desk.vault.identity.sign, desk.ledger.append = slowly, committing
    certifying = asyncio.create_task(desk.key_generation.confirm_code(CEREMONY, seal_of(desk).code))
    await reached.wait()
    await desk.hear(BEN, cancelled(desk))
    goes_on.set()
    await committed.wait()
    if ends == "cancelled":
        certifying.cancel()
    await asyncio.wait({certifying})
    assert any(isinstance(r.event, CeremonyCodeConfirmed) for r in desk.ledger.records)
    assert await desk.shares.holds(WALLET, KIND, 0)


@pytest.mark.parametrize(
    ("slow", "certified"), [("share", False), ("token", False), ("ledger", True)]
)
async def test_a_cancellation_that_arrives_while_this_member_certifies_takes_no_certified_share(
    *, slow: str, certified: bool
) -> None:
    desk = await sealed()
    owner, name = {
        "share": (desk.shares, "holds"),
        "token": (desk.vault.identity, "sign"),
        "ledger": (desk.ledger, "append"),
    }[slow]
    done, reached, goes_on = getattr(owner, name), asyncio.Event(), asyncio.Event()

    async def waits(*given: object) -> object:
        setattr(owner, name, done)
        reached.set()
        await goes_on.wait()
        return await done(*given)

    setattr(owner, name, waits)
    code = seal_of(desk).code
    certifying = asyncio.create_task(desk.key_generation.confirm_code(CEREMONY, code))
    await reached.wait()
    cancelling = asyncio.create_task(desk.hear(BEN, cancelled(desk)))
    await asyncio.sleep(0.01)
    goes_on.set()
    await asyncio.wait((certifying, cancelling))
    assert ceremony_of(desk).aborts
    assert ceremony_of(desk).has_confirmed(desk.me) is certified
    assert await desk.shares.holds(WALLET, KIND, 0) is certified
    if not certified:
        with pytest.raises(NotYetPossible, match="no code to confirm"):
            await certifying
