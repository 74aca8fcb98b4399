"""Two changes of one wallet's shares at once: one of them counts, and no member is left behind."""

import pytest

from console.application.ceremonies.certificates import key_certificate
from console.application.peers.statements import CeremonyCancellation, KeyCertificate
from console.domain import competing
from console.domain.errors import Conflict, NotYetPossible
from console.domain.ids import CeremonyId, SessionId
from console.domain.key_ceremony import CeremonyState
from tests.unit.application.ceremonies.scenes import (
    CHANGE,
    LATER,
    RESHARE,
    accept,
    ceremony_of,
    certified,
    change,
    change_accepted,
    change_sealed,
    confirm,
    info,
    invitation,
    outcome,
    proposal,
    refreshed,
    seal_of,
    wallet_of,
)
from tests.unit.application.ceremonies.test_certificates import certificate_of
from tests.unit.application.desk import HOUR_MS, Desk
from tests.unit.domain.facts import ANA, BEN, CUSTODIANS, EVE, KIND, WALLET

OTHER = CeremonyId("kc-00000000000000ee")
OTHER_SESSION = SessionId("44" * 32)


async def other_accepted(desk: Desk, epoch: int, **changes: object) -> None:
    """Propose and accept a second change that began with the same epoch as the first."""
    await desk.hear(ANA, change(desk, ceremony=OTHER, epoch=epoch, **changes))
    await accept(desk, *ceremony_of(desk, OTHER).participants, ceremony=OTHER)


async def other_sealed(desk: Desk, epoch: int) -> None:
    await other_accepted(desk, epoch)
    await desk.key_generation.open(info(OTHER_SESSION, OTHER))
    await desk.key_generation.succeeded(info(OTHER_SESSION, OTHER), outcome())
    desk.steps.clear()


async def epochs_of(desk: Desk) -> list[int]:
    return sorted(epoch for _, epoch in await desk.shares.stored(WALLET))


def certificate_of_change(desk: Desk) -> KeyCertificate:
    found = key_certificate(ceremony_of(desk, CHANGE), desk.now_ms)
    assert found is not None
    return found


async def test_who_recorded_the_loser_takes_the_winner_s_certificate() -> None:
    ana = await change_accepted(**RESHARE)
    await ana.key_generation.open(info(LATER, CHANGE))
    await ana.key_generation.succeeded(info(LATER, CHANGE), outcome(owners=(1, 3, 4)))
    await confirm(ana, *CUSTODIANS, EVE, ceremony=CHANGE)
    ben = await ana.neighbour(BEN)
    await ben.hear(ANA, proposal(ben))
    await ben.hear(ANA, await certificate_of(ana))
    await ben.hear(BEN, change(ben, ceremony=OTHER))
    share = outcome(2)[0][1].held
    assert share is not None
    await ben.shares.seal(WALLET, KIND, 0, share)
    # Only now does he hear of a change for the same epoch, and that all have certified it.
    await ben.hear(ANA, change(ben, **RESHARE))
    await ben.hear(ANA, certificate_of_change(ana))
    assert (wallet_of(ben).epoch, wallet_of(ben).keys) == (1, wallet_of(ana).keys)
    assert await epochs_of(ben) == []
    assert competing.is_superseded(ceremony_of(ben, OTHER), wallet_of(ben))


async def test_what_began_in_another_epoch_is_not_certified() -> None:
    desk = await change_sealed(epoch=2)
    code = seal_of(desk, CHANGE).code
    # All others certify a change of the same shares that this member confirmed before.
    await other_sealed(desk, 1)
    await confirm(desk, *CUSTODIANS, ceremony=OTHER)
    assert wallet_of(desk).epoch == 1
    with pytest.raises(Conflict, match="completed first"):
        await desk.key_generation.confirm_code(CHANGE, code)
    assert await epochs_of(desk) == [1]


async def test_no_change_is_certified_beside_one_that_this_member_has_certified() -> None:
    desk = await change_sealed()
    await desk.key_generation.confirm_code(CHANGE, seal_of(desk, CHANGE).code)
    await other_sealed(desk, 2)
    code = seal_of(desk, OTHER).code
    with pytest.raises(NotYetPossible, match="cancel it first"):
        await desk.key_generation.confirm_code(OTHER, code)
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CHANGE, "not now"))
    await desk.key_generation.confirm_code(OTHER, code)
    # The one that was cancelled may still become whole: the later epoch outweighs it.
    await confirm(desk, *CUSTODIANS, ceremony=OTHER)
    await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    assert ceremony_of(desk, CHANGE).state is CeremonyState.CERTIFIED
    assert wallet_of(desk).epoch == 2
    assert await epochs_of(desk) == [2]


async def test_no_change_is_certified_that_an_earlier_signature_could_undo() -> None:
    desk = await change_sealed(epoch=2)
    await desk.key_generation.confirm_code(CHANGE, seal_of(desk, CHANGE).code)
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CHANGE, "not now"))
    await other_sealed(desk, 1)
    with pytest.raises(Conflict, match="for this epoch or a later one"):
        await desk.key_generation.confirm_code(OTHER, seal_of(desk, OTHER).code)


async def test_two_changes_for_one_epoch_have_no_sessions_at_once() -> None:
    """Their shares would lie under one label, and one would be certified with the other's."""
    desk = await change_sealed()
    await other_accepted(desk, 1)
    with pytest.raises(NotYetPossible, match="under way here; cancel it first"):
        await desk.key_generation.admit(invitation(OTHER), ANA)
    await desk.key_generation.open(info(OTHER_SESSION, OTHER))
    with pytest.raises(NotYetPossible, match="under way here; cancel it first"):
        await desk.key_generation.succeeded(info(OTHER_SESSION, OTHER), outcome())
    assert desk.taken()[-1] == "recorded CeremonySessionStarted"
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CHANGE, "not now"))
    await desk.key_generation.succeeded(info(OTHER_SESSION, OTHER), outcome())
    assert await epochs_of(desk) == [0, 1]


async def test_the_end_of_one_change_leaves_the_pending_shares_of_another() -> None:
    desk = await change_sealed()
    lost = ceremony_of(desk, CHANGE)
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CHANGE, "not now"))
    await other_sealed(desk, 1)
    await desk.epochs.discard(lost)
    assert await epochs_of(desk) == [0, 1]
    await desk.epochs.discard(ceremony_of(desk, OTHER))
    assert await epochs_of(desk) == [0]


async def test_a_session_that_ends_after_another_change_was_completed_seals_nothing() -> None:
    desk = await change_accepted(epoch=2)
    await desk.key_generation.open(info(LATER, CHANGE))
    await other_sealed(desk, 1)
    await confirm(desk, *CUSTODIANS, ceremony=OTHER)
    with pytest.raises(Conflict, match="completed first"):
        await desk.key_generation.succeeded(info(LATER, CHANGE), outcome())
    assert await epochs_of(desk) == [1]


async def test_what_is_accepted_does_not_compete_with_what_was_accepted_before() -> None:
    desk = await certified()
    await desk.hear(BEN, change(desk))
    await desk.hear(ANA, change(desk, ceremony=OTHER, epoch=2))

    def require(now_ms: int) -> None:
        known = desk.aggregates.ceremonies.values()
        competing.require_acceptable(ANA, ceremony_of(desk, OTHER), wallet_of(desk), known, now_ms)

    require(desk.now_ms)
    await accept(desk, ANA, ceremony=CHANGE)
    with pytest.raises(NotYetPossible, match="accepted another change"):
        require(desk.now_ms)
    # One whose time is over stands in nobody's way.
    require(desk.now_ms + HOUR_MS)
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CHANGE, "not now"))
    require(desk.now_ms)


async def test_what_began_with_shares_out_of_use_is_not_accepted() -> None:
    desk = await refreshed()
    await desk.hear(BEN, change(desk, ceremony=OTHER, epoch=2))
    late, known = ceremony_of(desk, OTHER), desk.aggregates.ceremonies.values()
    with pytest.raises(Conflict, match="completed first"):
        competing.require_acceptable(ANA, late, wallet_of(desk), known, desk.now_ms)
    assert not competing.is_open(late, wallet_of(desk), desk.now_ms)
