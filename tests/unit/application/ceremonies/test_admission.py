"""Sessions of ceremonies: whom this member admits, and what it opens for them."""

from dataclasses import replace

import pytest

from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.application.errors import (
    HsmError,
    LedgerUnavailable,
    SealBroken,
    ShareUnavailable,
    VaultLocked,
)
from console.application.peers.statements import (
    CeremonyCancellation,
    SessionFailure,
)
from console.application.sessions.protocol_session import SubProtocol
from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    Expired,
    NotYetPossible,
    UnknownMember,
)
from console.domain.ids import CeremonyId, MemberId
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
    confirm,
    info,
    invitation,
    outcome,
    proposal,
    proposed,
    sealed,
)
from tests.unit.application.desk import HOUR_MS, Desk, opened_by
from tests.unit.domain.facts import ANA, BEN, CEREMONY, CHIARA, CUSTODIANS, EVE, FIRST, KIND, WALLET
from tests.unit.domain.facts import SECOND as ANOTHER_SESSION


async def test_the_proposer_leads_a_session_of_all() -> None:
    desk = await accepted()
    await desk.key_generation.admit(invitation(participants=(CHIARA, ANA, BEN)), ANA)
    assert desk.key_generation.indices(invitation()) == {ANA: 1, BEN: 2, CHIARA: 3}


@pytest.mark.parametrize("leader", [BEN, CHIARA, EVE])
async def test_nobody_else_leads_a_session(leader: MemberId) -> None:
    """Another's session would undo the shares that this member has sealed."""
    desk = await sealed()
    with pytest.raises(UnknownMember, match="the member who proposed it"):
        await desk.key_generation.admit(invitation(), leader)
    assert await desk.shares.holds(WALLET, KIND, 0)


@pytest.mark.parametrize("invited", [(ANA, BEN), (ANA, BEN, EVE), (ANA, BEN, CHIARA, EVE)])
async def test_a_session_is_of_exactly_those_who_take_part(invited: tuple[MemberId, ...]) -> None:
    desk = await accepted()
    with pytest.raises(Conflict, match="exactly those who take part"):
        await desk.key_generation.admit(invitation(participants=invited), ANA)


async def test_an_unknown_ceremony_has_no_session() -> None:
    desk = await accepted()
    with pytest.raises(NotYetPossible, match="ceremony is not known"):
        await desk.key_generation.admit(invitation("kc-00000000000000ff"), ANA)


async def test_all_have_accepted_before_a_session_is_admitted() -> None:
    desk = await proposed()
    await accept(desk, ANA, BEN)
    with pytest.raises(NotYetPossible, match="not everybody who takes part has accepted"):
        await desk.key_generation.admit(invitation(), ANA)


async def test_a_ceremony_that_is_over_has_no_session() -> None:
    desk = await accepted()
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CEREMONY, "stop"))
    with pytest.raises(AlreadyDecided, match="the ceremony is over"):
        await desk.key_generation.admit(invitation(), ANA)
    desk = await certified()
    with pytest.raises(AlreadyDecided, match="certified the keys of an earlier session"):
        await desk.key_generation.admit(invitation(), ANA)


async def test_a_session_over_keys_that_this_member_has_certified_is_refused() -> None:
    desk = await sealed()
    await confirm(desk, ANA)
    with pytest.raises(AlreadyDecided, match="certified the keys of an earlier session"):
        await desk.key_generation.admit(invitation(), ANA)
    assert await desk.shares.holds(WALLET, KIND, 0)


async def test_a_new_session_undoes_a_sealed_one_and_tells_the_others() -> None:
    desk = await sealed()
    await desk.key_generation.admit(invitation(), ANA)
    assert desk.taken() == [
        "recorded CeremonySessionFailed",
        f"erased {KIND.value} 0",
        "told SessionFailure",
    ]
    (told,) = desk.told
    assert told == SessionFailure(
        at_ms=desk.now_ms,
        subject=CEREMONY,
        session=FIRST,
        reason="a new session was started instead",
        blamed=(),
    )
    await desk.key_generation.open(info(ANOTHER_SESSION))
    assert ceremony_of(desk).state is CeremonyState.RUNNING


async def test_a_change_begins_with_the_shares_in_use() -> None:
    desk = await change_accepted(epoch=2)
    await desk.key_generation.admit(invitation(CHANGE), ANA)
    later = CeremonyId("kc-00000000000000ee")
    await desk.hear(BEN, change(desk, ceremony=later, epoch=3))
    await accept(desk, *CUSTODIANS, ceremony=later)
    await desk.key_generation.open(info(LATER, later))
    await desk.key_generation.succeeded(info(LATER, later), outcome())
    await confirm(desk, *CUSTODIANS, ceremony=later)
    with pytest.raises(Conflict, match="another change of this wallet's shares was completed"):
        await desk.key_generation.admit(invitation(CHANGE), ANA)


async def test_the_rounds_of_all_kinds_are_named_one_after_the_other() -> None:
    schemes = {s.kind: s for s in (EddsaEd25519(), SchnorrBip340())}
    desk = await Desk(schemes=schemes).open()
    await desk.hear(ANA, proposal(desk, kinds=(KIND.value, "schnorr-bip340")))
    parts = desk.key_generation.parts(invitation())
    rounds = ("Commit", "Deal", "Verify", "Prove")
    assert parts == (
        SubProtocol("EdDSA", rounds),
        SubProtocol("Schnorr", (*rounds, "Confirm")),
    )


async def test_a_session_is_on_record_before_its_protocol_is_given() -> None:
    desk = await accepted()
    desk.steps.clear()
    await desk.key_generation.open(info())
    assert desk.taken() == ["recorded CeremonySessionStarted"]
    assert ceremony_of(desk).state is CeremonyState.RUNNING
    with pytest.raises(AlreadyDecided):
        await desk.key_generation.open(info(ANOTHER_SESSION))


async def test_a_session_after_the_ceremony_s_time_is_refused() -> None:
    desk = await accepted()
    desk.clock.advance(HOUR_MS / 1000)
    with pytest.raises(Expired):
        await desk.key_generation.open(info())


async def test_a_session_that_cannot_be_recorded_is_not_opened() -> None:
    desk = await change_accepted()
    desk.ledger.fail_next = True
    with pytest.raises(LedgerUnavailable):
        await desk.key_generation.open(info(LATER, CHANGE))


@pytest.mark.parametrize("trouble", [SealBroken("does not open"), VaultLocked("locked")])
async def test_a_share_that_does_not_open_ends_the_session_for_all(trouble: HsmError) -> None:
    desk = await change_accepted()
    desk.storage.trouble = trouble
    with pytest.raises(type(trouble)):
        await desk.key_generation.open(info(LATER, CHANGE))
    assert desk.taken() == [
        "recorded CeremonySessionStarted",
        "recorded CeremonySessionFailed",
        "told SessionFailure",
    ]
    assert ceremony_of(desk, CHANGE).attempts[0].failure == str(trouble)
    desk.storage.trouble = None
    assert await desk.shares.holds(WALLET, KIND, 0)


@pytest.mark.parametrize("trouble", [SealBroken("is damaged"), ShareUnavailable("is missing")])
async def test_a_share_that_does_not_open_is_refused_before_a_session(trouble: HsmError) -> None:
    desk = await change_accepted()
    await desk.key_generation.admit(invitation(CHANGE), ANA)
    desk.storage.trouble = trouble
    with pytest.raises(NotYetPossible, match=rf"needs a repair \({trouble}"):
        await desk.key_generation.admit(invitation(CHANGE), ANA)


async def test_of_two_shares_the_first_is_wiped_if_the_second_does_not_open() -> None:
    desk = await change_accepted()
    opened = opened_by(desk)
    ceremony = ceremony_of(desk, CHANGE)
    two = replace(ceremony.proposal, kinds=(KIND, SchnorrBip340.kind))
    desk.aggregates.ceremonies[CHANGE] = replace(ceremony, proposal=two)
    with pytest.raises(ShareUnavailable):
        await desk.key_generation.open(info(LATER, CHANGE))
    assert [key.share.secret.wiped for key in opened] == [True]
