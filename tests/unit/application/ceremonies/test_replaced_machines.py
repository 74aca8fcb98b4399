"""The key of a machine that was replaced: it certifies nothing any more, and what it did counts."""

from dataclasses import replace

import pytest

from console.application.peers.machines import certified_with
from console.application.peers.signed_statements import StatementRefused
from console.application.peers.statements import CertificateSignature, KeyCertificate
from console.domain.errors import NotYetPossible
from console.domain.events import MachineEndorsed
from console.domain.ids import MemberId, SessionId
from console.domain.key_ceremony import CeremonyState
from tests.unit.application.ceremonies.scenes import (
    CHANGE,
    LATER,
    ceremony_of,
    certified,
    confirm,
    confirmation,
    proposal,
    refreshed,
    sealed,
)
from tests.unit.application.ceremonies.test_certificates import certificate_of
from tests.unit.application.desk import Desk
from tests.unit.domain.facts import ANA, BEN, CEREMONY, CHIARA, EVE, FIRST, WALLET, said


async def replaced(desk: Desk, *lists: tuple[SessionId, ...]) -> None:
    """Let Chiara have another machine here; each list is of a founder who endorsed it."""
    known = desk.aggregates.member(CHIARA)
    endorsers = (ANA, BEN, EVE)
    endorsed = tuple(
        MachineEndorsed(
            member=CHIARA,
            display_name="Chiara",
            identity_key=b"",
            tls_pin=b"",
            certificate=b"",
            address="",
            digest=b"new",
            by=by,
            at_ms=desk.now_ms,
            evidence=said(by),
            certified=sessions,
        )
        for by, sessions in zip(endorsers, lists, strict=False)
    )
    desk.aggregates.members[CHIARA] = replace(
        known,
        identity_key=await desk.vaults[EVE].identity.public_key(),
        former_keys=(await desk.vaults[CHIARA].identity.public_key(),),
        admitted=((b"new", 2),),
        endorsed=endorsed,
    )


async def heard_late(*lists: tuple[SessionId, ...]) -> tuple[Desk, KeyCertificate]:
    """Give Eve's desk, who hears of the replacement before the certificate."""
    ana = await certified()
    eve = await ana.neighbour(EVE)
    await eve.hear(ANA, proposal(eve))
    await replaced(eve, *lists)
    return eve, await certificate_of(ana)


async def test_a_replaced_machine_confirms_nothing() -> None:
    desk = await sealed()
    text = await confirmation(desk, CHIARA)
    await replaced(desk)
    with pytest.raises(StatementRefused, match="does not hold"):
        await desk.hear(CHIARA, text)
    assert ceremony_of(desk).confirmations == ()


async def test_its_signature_in_a_certificate_has_to_wait_for_what_shows_that_it_is_older() -> None:
    eve, certificate = await heard_late((), (FIRST,))
    with pytest.raises(NotYetPossible, match="nothing shows that this was before"):
        await eve.hear(BEN, certificate)
    assert WALLET not in eve.aggregates.wallets
    await replaced(eve, (FIRST,), (FIRST,))
    await eve.hear(BEN, certificate)
    assert WALLET in eve.aggregates.wallets


async def test_who_recorded_its_confirmation_in_time_takes_the_certificate() -> None:
    desk = await sealed()
    await confirm(desk, BEN, CHIARA)
    await replaced(desk)
    whole = await certificate_of(desk)
    ours = await confirmation(desk, ANA)
    mine = CertificateSignature(ANA, ours.certificate_signature)
    text = KeyCertificate(
        at_ms=whole.at_ms,
        ceremony=whole.ceremony,
        session=whole.session,
        keys=whole.keys,
        signatures=(*whole.signatures, mine),
    )
    await desk.hear(BEN, text)
    assert ceremony_of(desk).state is CeremonyState.CERTIFIED


async def test_a_certificate_that_is_on_record_is_taken_again() -> None:
    desk = await certified()
    certificate = await certificate_of(desk)
    await replaced(desk)
    await desk.hear(BEN, certificate)
    assert WALLET in desk.aggregates.wallets


async def test_who_endorses_names_what_the_old_machine_has_certified() -> None:
    desk = await refreshed()
    assert certified_with(desk.aggregates, CHIARA) == (LATER, FIRST)
    assert certified_with(desk.aggregates, EVE) == ()
    assert certified_with((await sealed()).aggregates, CHIARA) == ()
    assert {ceremony_of(desk, c).certified_session for c in (CEREMONY, CHANGE)} == {FIRST, LATER}
    assert MemberId("chiara") in ceremony_of(desk).indices
