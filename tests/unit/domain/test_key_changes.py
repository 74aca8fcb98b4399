"""Changes of shares: what is possible, who takes part, and which epoch an activation begins."""

from dataclasses import replace
from itertools import permutations

import pytest

from console.domain import ceremony_decisions, key_ceremony, wallet
from console.domain.ceremony_commands import Accept, CeremonyCommand, Certify, ProposeChange
from console.domain.errors import (
    Conflict,
    DomainError,
    InvalidQuorum,
    NotYetPossible,
    UnknownMember,
)
from console.domain.events import (
    CeremonyCertified,
    DrillPassed,
    GroupKey,
    KeyChangeProposed,
    SessionAborted,
    SharesErased,
)
from console.domain.ids import MemberId, SessionId, WalletId
from console.domain.key_ceremony import CeremonyState, KeyCeremony
from console.domain.values import MAX_CUSTODIANS, CeremonyPurpose, Quorum
from console.domain.verdicts import Verdict, banned, quarantine
from console.domain.wallet import RecordDrill, RecordErasure, Wallet
from tests.unit.domain.facts import (
    ANA,
    BEN,
    CEREMONY,
    CHIARA,
    CUSTODIANS,
    END,
    EVE,
    FIRST,
    KEYS,
    KIND,
    QUORUM,
    SEALED,
    SECOND,
    START,
    WALLET,
    ceremony_after,
    confirm,
    said,
)

DORA = MemberId("dora")
NOBODY = MemberId("")
FOUR = QUORUM.resharing(3, (ANA, CHIARA, DORA))
CERTIFIED = ceremony_after(*SEALED, *(confirm(m) for m in CUSTODIANS))
NEW_KEYS = tuple(replace(key, package=b"package of epoch 1") for key in KEYS)


def change(purpose: CeremonyPurpose, **facts: object) -> KeyChangeProposed:
    known: dict[str, object] = {
        "ceremony": CEREMONY,
        "wallet": WALLET,
        "wallet_name": "Treasury",
        "kinds": (KIND,),
        "purpose": purpose,
        "from_epoch": 0,
        "epoch": 1,
        "previous": QUORUM,
        "quorum": QUORUM,
        "dealers": (),
        "repaired": NOBODY,
        "approvals_needed": 2,
        "proposer": ANA,
        "proposed_at_ms": START,
        "expires_at_ms": END,
        "evidence": said(ANA, b"change"),
    }
    return KeyChangeProposed(**(known | facts))  # type: ignore[arg-type]


REFRESH = change(CeremonyPurpose.REFRESH)
REPAIR = change(CeremonyPurpose.REPAIR, repaired=CHIARA)
RESHARE = change(CeremonyPurpose.RESHARE, quorum=FOUR, dealers=CUSTODIANS)


def proposed(proposal: KeyChangeProposed, *commands: CeremonyCommand) -> KeyCeremony:
    state: KeyCeremony | None = None
    for command in (ProposeChange(proposal), *commands):
        for event in ceremony_decisions.decide(state, command):
            state = key_ceremony.evolve(state, event)
    assert state is not None
    return state


def certificate(state: KeyCeremony, keys: tuple[GroupKey, ...] = NEW_KEYS) -> CeremonyCertified:
    signatures = tuple((member, member.encode()) for member in state.participants)
    return CeremonyCertified(
        ceremony=CEREMONY,
        session=SECOND,
        keys=keys,
        certificate_message=b"message",
        signatures=signatures,
        at_ms=START,
        evidence=said(BEN, b"certificate"),
    )


@pytest.mark.parametrize("proposal", [REFRESH, REPAIR, RESHARE], ids=lambda p: p.purpose.value)
def test_a_possible_change_is_recorded_once(proposal: KeyChangeProposed) -> None:
    state = proposed(proposal)
    assert (state.purpose, state.epoch) == (proposal.purpose, 1)
    assert ceremony_decisions.decide(state, ProposeChange(proposal)) == ()
    other = replace(proposal, evidence=said(ANA, b"another text"))
    with pytest.raises(Conflict):
        ceremony_decisions.decide(state, ProposeChange(other))


def test_who_takes_part_in_a_reshare_keeps_the_index() -> None:
    state = proposed(RESHARE)
    assert state.indices == {ANA: 1, BEN: 2, CHIARA: 3, DORA: 4}
    assert state.participants == (ANA, BEN, CHIARA, DORA)
    accepted = [Accept(m, START, said(m)) for m in (ANA, CHIARA, DORA)]
    assert not proposed(RESHARE, *accepted).has_all_acceptances
    everybody = [*accepted, Accept(BEN, START, said(BEN))]
    assert proposed(RESHARE, *everybody).state is CeremonyState.ACCEPTED


@pytest.mark.parametrize(
    ("proposal", "refusal"),
    [
        (replace(REFRESH, purpose=CeremonyPurpose.GENERATE), Conflict),
        (replace(REFRESH, quorum=Quorum(3, CUSTODIANS)), Conflict),
        (replace(REFRESH, dealers=(ANA,)), Conflict),
        (replace(REFRESH, repaired=BEN), Conflict),
        (replace(REFRESH, epoch=0), Conflict),
        (replace(REFRESH, from_epoch=3, epoch=3), Conflict),
        (replace(REFRESH, proposer=DORA), UnknownMember),
        (replace(REPAIR, repaired=NOBODY), Conflict),
        (replace(REPAIR, repaired=DORA), Conflict),
        (
            replace(REPAIR, quorum=Quorum(3, CUSTODIANS), previous=Quorum(3, CUSTODIANS)),
            NotYetPossible,
        ),
        (replace(RESHARE, repaired=BEN), Conflict),
        (replace(RESHARE, dealers=(ANA, DORA)), Conflict),
        (replace(RESHARE, dealers=(ANA,)), NotYetPossible),
        (replace(RESHARE, quorum=Quorum(3, (ANA, CHIARA, DORA))), Conflict),
        (replace(RESHARE, proposer=MemberId("eve")), UnknownMember),
    ],
)
def test_an_impossible_change_is_refused(
    proposal: KeyChangeProposed, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        ceremony_decisions.decide(None, ProposeChange(proposal))


@pytest.mark.parametrize(("dealers", "possible"), [(16, True), (17, False)])
def test_no_more_members_take_part_in_a_change_than_a_session_can_have(
    dealers: int, *, possible: bool
) -> None:
    old = tuple(MemberId(f"old-{number}") for number in range(20))
    new = tuple(MemberId(f"new-{number}") for number in range(16))
    before = Quorum(2, old)
    proposal = change(
        CeremonyPurpose.RESHARE,
        previous=before,
        quorum=before.resharing(2, new),
        dealers=old[:dealers],
        proposer=new[0],
    )
    if possible:
        assert len(proposed(proposal).participants) == MAX_CUSTODIANS
        return
    with pytest.raises(Conflict, match="33 members would take part, and at most 32 can"):
        ceremony_decisions.decide(None, ProposeChange(proposal))


def test_indices_are_kept_and_fresh_ones_come_after_all() -> None:
    quorum = QUORUM.resharing(2, (DORA, CHIARA, ANA))
    assert quorum.shares == ((1, ANA), (3, CHIARA), (4, DORA))
    assert quorum.index_of(DORA) == 4
    again = quorum.resharing(2, (CHIARA, DORA, BEN))
    assert again.shares == ((3, CHIARA), (4, DORA), (5, BEN))
    with pytest.raises(InvalidQuorum):
        quorum.index_of(BEN)
    with pytest.raises(InvalidQuorum):
        QUORUM.resharing(2, (ANA, ANA, BEN))


@pytest.mark.parametrize("indices", [(1, 2), (1, 1, 2), (3, 2, 1), (0, 1, 2), (1, 2, 1 << 16)])
def test_impossible_indices_are_refused(indices: tuple[int, ...]) -> None:
    with pytest.raises(InvalidQuorum):
        Quorum(2, CUSTODIANS, indices)


def test_a_whole_certificate_ends_the_ceremony_wherever_it_stands() -> None:
    state = proposed(REFRESH)
    whole = certificate(state)
    (event,) = ceremony_decisions.decide(state, Certify(whole))
    certified = key_ceremony.evolve(state, event)
    assert certified is not None
    assert certified.state is CeremonyState.CERTIFIED
    assert ceremony_decisions.decide(certified, Certify(whole)) == ()


def test_a_certificate_without_somebody_s_signature_is_none() -> None:
    state = proposed(REFRESH)
    partial = replace(certificate(state), signatures=((ANA, b"a"), (BEN, b"b")))
    with pytest.raises(NotYetPossible):
        ceremony_decisions.decide(state, Certify(partial))


def test_a_certificate_for_other_keys_than_were_sealed_here_is_a_conflict() -> None:
    foreign = replace(certificate(CERTIFIED), session=FIRST, certificate_message=b"another")
    with pytest.raises(Conflict):
        ceremony_decisions.decide(CERTIFIED, Certify(foreign))


def activated(*ceremonies: KeyCeremony) -> Wallet:
    state: Wallet | None = None
    for ceremony in ceremonies:
        for event in wallet.activate(state, ceremony, START):
            state = wallet.evolve(state, event)
    assert state is not None
    return state


def certified(proposal: KeyChangeProposed, keys: tuple[GroupKey, ...] = NEW_KEYS) -> KeyCeremony:
    state = proposed(proposal)
    return proposed(proposal, Certify(certificate(state, keys)))


def test_an_epoch_follows_with_its_own_quorum_and_policy() -> None:
    state = activated(CERTIFIED, certified(RESHARE))
    assert (state.epoch, state.quorum, state.keys) == (1, FOUR, NEW_KEYS)
    assert (state.policy.version, state.policy.quorum) == (2, FOUR)
    assert state.former == ((BEN, 0),)
    assert state.created_at_ms == START
    assert [index for index, _ in state.certificate] == [1, 2, 3, 4]


def test_an_epoch_that_is_past_changes_nothing() -> None:
    later = certified(replace(REFRESH, epoch=2))
    state = activated(CERTIFIED, later)
    assert wallet.activate(state, certified(REFRESH), START) == ()
    assert wallet.activate(state, later, START) == ()


def test_an_epoch_never_changes_the_keys() -> None:
    stolen = tuple(replace(key, public_key=b"\x08" * 32) for key in NEW_KEYS)
    with pytest.raises(Conflict):
        wallet.activate(activated(CERTIFIED), certified(REFRESH, stolen), START)


def test_one_epoch_has_one_set_of_shares() -> None:
    state = activated(CERTIFIED, certified(REFRESH))
    other = tuple(replace(key, package=b"another package") for key in NEW_KEYS)
    with pytest.raises(Conflict):
        wallet.activate(state, certified(REFRESH, other), START)


def test_of_two_changes_for_one_epoch_all_members_use_the_same() -> None:
    """Disjoint custodians can certify both: whoever learns of them, in any order, ends alike."""
    made: list[KeyCeremony] = []
    for text in (b"message", b"another message"):
        state = proposed(RESHARE)
        whole = replace(certificate(state), certificate_message=text)
        made.append(proposed(RESHARE, Certify(whole)))
    first, second = (activated(CERTIFIED, *order) for order in permutations(made))
    assert first.certificate_message == second.certificate_message
    assert first.epoch == second.epoch == 1


def test_whose_shares_lost_against_others_of_the_same_epoch_says_that_they_are_gone() -> None:
    lost = certified(RESHARE)
    other = proposed(replace(RESHARE, quorum=QUORUM.resharing(2, (ANA, BEN)), approvals_needed=1))
    texts = (bytes([number]) for number in range(256))
    wholes = (replace(certificate(other), certificate_message=text) for text in texts)
    rivals = (proposed(other.proposal, Certify(whole)) for whole in wholes)  # type: ignore[arg-type]
    won = next(rival for rival in rivals if rival.rank > lost.rank)
    state = activated(CERTIFIED, lost, won)
    assert dict(state.former)[DORA] == 1
    assert not state.has_erased(DORA)
    (event,) = wallet.decide(state, erasure(DORA, 1))
    evolved = wallet.evolve(state, event)
    assert evolved is not None
    assert evolved.has_erased(DORA)
    # Who holds a share of this epoch has not erased it.
    with pytest.raises(NotYetPossible):
        wallet.decide(state, erasure(ANA, 1))


def erasure(member: MemberId, epoch: int) -> RecordErasure:
    return RecordErasure(
        SharesErased(wallet=WALLET, epoch=epoch, member=member, at_ms=START, evidence=said(member))
    )


def test_who_erased_is_known_and_told_once() -> None:
    state = activated(CERTIFIED, certified(RESHARE))
    assert activated(CERTIFIED).erasing == ()
    assert state.erasing == (ANA, CHIARA, DORA, BEN)
    assert not state.has_erased(BEN)
    for member in (BEN, ANA):
        (event,) = wallet.decide(state, erasure(member, 0))
        evolved = wallet.evolve(state, event)
        assert evolved is not None
        state = evolved
        # Nobody erases for another.
        assert not state.has_erased(CHIARA)
    assert state.has_erased(BEN)
    assert state.has_erased(ANA)
    assert wallet.decide(state, erasure(ANA, 0)) == ()


def test_an_erasure_is_of_an_epoch_that_is_over_and_by_who_held_a_share() -> None:
    state = activated(CERTIFIED, certified(RESHARE))
    with pytest.raises(NotYetPossible):
        wallet.decide(state, erasure(BEN, state.epoch))
    with pytest.raises(UnknownMember):
        wallet.decide(state, erasure(EVE, 0))


def test_who_left_long_ago_need_not_erase_again() -> None:
    later = replace(
        RESHARE, from_epoch=1, epoch=2, previous=FOUR, quorum=FOUR, dealers=(ANA, CHIARA, DORA)
    )
    state = activated(CERTIFIED, certified(RESHARE))
    (event,) = wallet.decide(state, erasure(BEN, 0))
    evolved = wallet.evolve(state, event)
    assert evolved is not None
    for began in wallet.activate(evolved, certified(later), START):
        after = wallet.evolve(evolved, began)
    assert after is not None
    assert after.has_erased(BEN)
    assert not after.has_erased(ANA)


def test_a_drill_is_recorded_once_and_not_before_its_epoch() -> None:
    state = activated(CERTIFIED)
    drill = DrillPassed(
        wallet=WALLET,
        epoch=0,
        session=FIRST,
        signers=(ANA, BEN),
        signatures=(b"s",),
        at_ms=START,
        evidence=said(ANA),
    )
    (event,) = wallet.decide(state, RecordDrill(drill))
    evolved = wallet.evolve(state, event)
    assert evolved is not None
    assert evolved.drills == (drill,)
    assert wallet.decide(evolved, RecordDrill(drill)) == ()
    with pytest.raises(NotYetPossible):
        wallet.decide(state, RecordDrill(replace(drill, epoch=1, session=SECOND)))
    with pytest.raises(NotYetPossible):
        wallet.decide(None, RecordDrill(drill))


@pytest.mark.parametrize(
    "signers", [(ANA,), (ANA, ANA), (ANA, EVE), (ANA, BEN, CHIARA)], ids="-".join
)
def test_a_drill_is_by_as_many_custodians_as_the_wallet_needs(signers: tuple[MemberId]) -> None:
    drill = DrillPassed(
        wallet=WALLET,
        epoch=0,
        session=FIRST,
        signers=signers,
        signatures=(b"s",),
        at_ms=START,
        evidence=said(ANA),
    )
    with pytest.raises(Conflict):
        wallet.decide(activated(CERTIFIED), RecordDrill(drill))


def aborted(verdict: Verdict, epoch: int = 0, wallet_id: WalletId = WALLET) -> SessionAborted:
    return SessionAborted(
        session=SessionId("33" * 32),
        purpose="signing",
        subject="rq",
        wallet=wallet_id,
        epoch=epoch,
        verdict=verdict,
        check="check",
        reason="why",
        blamed=(BEN,),
        proof=(),
        at_ms=1,
    )


def test_verdicts_bind_one_wallet_in_one_epoch() -> None:
    facts = [aborted(Verdict.BAN), aborted(Verdict.FREEZE, epoch=1), aborted(Verdict.BLAME, 2)]
    assert set(banned(facts, WALLET, 0)) == {BEN}
    assert banned(facts, WALLET, 1) == {}
    assert banned(facts, WALLET, 2) == {}
    assert banned(facts, WalletId("wl-other"), 0) == {}
    assert quarantine(facts, WALLET, 0) is None
    assert quarantine(facts, WALLET, 1) is not None
    assert quarantine(facts, WALLET, 2) is None
