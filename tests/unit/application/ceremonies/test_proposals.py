"""Proposals of ceremonies: recorded as they were signed, or refused in words."""

import pytest

from console.application.peers.pages import statements_after
from console.application.peers.signed_statements import to_signed
from console.application.peers.statements import (
    CeremonyRefusal,
)
from console.domain.competing import MAX_EPOCHS_AHEAD
from console.domain.errors import (
    Conflict,
    DomainError,
    InvalidQuorum,
    MalformedIdentifier,
    NotYetPossible,
    UnknownMember,
)
from console.domain.ids import CeremonyId, MemberId, WalletId
from console.domain.key_ceremony import CeremonyState
from console.domain.times import MAX_LIFETIME_MS
from console.domain.values import CeremonyPurpose, Quorum
from tests.unit.application.ceremonies.scenes import (
    CHANGE,
    LATER,
    RESHARE,
    ceremony_of,
    certified,
    change,
    change_accepted,
    confirm,
    info,
    nothing_recorded,
    outcome,
    proposal,
    proposed,
    refreshed,
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
    KIND,
    WALLET,
)

DORA = MemberId("dora")
ANOTHER = CeremonyId("kc-00000000000000ee")


def refused(desk: Desk) -> CeremonyRefusal:
    return CeremonyRefusal(desk.now_ms, CEREMONY, "too low a threshold")


async def test_a_proposal_is_recorded_as_it_was_signed() -> None:
    desk = await Desk().open()
    verified = await desk.hear(BEN, proposal(desk))
    recorded = ceremony_of(desk).proposal
    assert (recorded.ceremony, recorded.wallet, recorded.wallet_name) == (
        CEREMONY,
        WALLET,
        "Treasury",
    )
    assert (recorded.kinds, recorded.quorum) == ((KIND,), Quorum(2, CUSTODIANS))
    assert (recorded.proposer, recorded.approvals_needed) == (BEN, 2)
    assert recorded.expires_at_ms - recorded.proposed_at_ms == HOUR_MS
    assert recorded.evidence == verified.evidence


@pytest.mark.parametrize(
    ("changes", "refusal", "words"),
    [
        ({"custodians": (ANA, BEN, DORA)}, UnknownMember, "dora is not in the roster"),
        ({"custodians": (BEN, CHIARA, EVE)}, UnknownMember, "ana proposes a wallet of which"),
        ({"custodians": (ANA, BEN, BEN)}, InvalidQuorum, "listed twice"),
        ({"threshold": 1}, InvalidQuorum, "at least 2"),
        ({"threshold": 4}, InvalidQuorum, "at most the custodians"),
        ({"approvals_needed": 3}, InvalidQuorum, "cannot be reached"),
        ({"approvals_needed": 0}, InvalidQuorum, "cannot be reached"),
        ({"kinds": ()}, NotYetPossible, "cannot make"),
        ({"kinds": (KIND.value, KIND.value)}, NotYetPossible, "cannot make"),
        ({"kinds": (KIND.value, "schnorr-bip340")}, NotYetPossible, "cannot make"),
        ({"kinds": ("rot13",)}, NotYetPossible, "does not know keys of kind 'rot13'"),
    ],
)
async def test_a_proposal_that_this_member_could_not_keep_is_refused(
    changes: dict[str, object], refusal: type[DomainError], words: str
) -> None:
    desk = await Desk().open()
    with pytest.raises(refusal, match=words):
        await desk.hear(ANA, proposal(desk, **changes))
    assert desk.steps == []


async def test_a_kind_of_key_with_an_endless_name_is_not_quoted_in_full() -> None:
    desk = await Desk().open()
    with pytest.raises(NotYetPossible) as said:
        await desk.hear(ANA, proposal(desk, kinds=("x" * 64,)))
    assert "x" * 41 not in str(said.value)


async def test_a_repeated_proposal_changes_nothing() -> None:
    desk = await Desk().open()
    text = proposal(desk)
    await desk.hear(ANA, text)
    await nothing_recorded(desk, ANA, text)


async def test_two_texts_under_one_id_are_kept_as_proof_and_end_the_ceremony() -> None:
    desk = await sealed()
    await desk.hear(ANA, proposal(desk, wallet_name="Reserve"))
    state = ceremony_of(desk)
    assert state.state is CeremonyState.ABORTED
    assert state.disputed is not None
    both = (state.proposal.evidence, state.disputed.evidence)
    assert {e.signer for e in both} == {ANA}
    assert both[0].body != both[1].body
    assert not await desk.shares.holds(WALLET, KIND, 0)
    # Peers that ask get both, and come to the same end.
    assert {to_signed(evidence) for evidence in both} <= {
        *(await statements_after(desk.ledger, 0))[0]
    }


async def test_another_member_s_text_under_the_same_id_is_refused() -> None:
    desk = await proposed()
    with pytest.raises(Conflict, match="another member proposed"):
        await desk.hear(BEN, proposal(desk, wallet_name="Reserve"))
    assert ceremony_of(desk).disputed is None


async def test_a_name_that_is_taken_for_others_is_refused_unless_it_is_history() -> None:
    desk = await Desk().open()
    mixed = "Tre\u0430sury"
    with pytest.raises(MalformedIdentifier, match="several alphabets"):
        await desk.hear(ANA, proposal(desk, wallet_name=mixed))
    with pytest.raises(Conflict, match="blanks around it"):
        await desk.hear(ANA, proposal(desk, wallet_name=" Treasury"))
    early = proposal(desk, wallet_name=mixed)
    desk.clock.advance(2 * HOUR_MS / 1000)
    await desk.hear(ANA, early)
    assert ceremony_of(desk).proposal.wallet_name == mixed


@pytest.mark.parametrize("open_ms", [0, -1, MAX_LIFETIME_MS + 1, 1 << 41])
async def test_a_ceremony_is_open_for_a_week_at_most(open_ms: int) -> None:
    desk = await certified()
    other = {"ceremony": ANOTHER, "wallet": "wl-00000000000000ff"}
    with pytest.raises(Conflict, match="at most 7 days"):
        await desk.hear(ANA, proposal(desk, expires_at_ms=desk.now_ms + open_ms, **other))
    with pytest.raises(Conflict, match="at most 7 days"):
        await desk.hear(ANA, change(desk, expires_at_ms=desk.now_ms + open_ms))
    await desk.hear(ANA, proposal(desk, expires_at_ms=desk.now_ms + MAX_LIFETIME_MS, **other))


async def test_a_second_ceremony_for_the_same_wallet_is_refused() -> None:
    desk = await proposed()
    with pytest.raises(Conflict, match="another ceremony makes the wallet"):
        await desk.hear(BEN, proposal(desk, ceremony=ANOTHER))
    await desk.hear(BEN, proposal(desk, ceremony=ANOTHER, wallet="wl-00000000000000ff"))


async def test_a_change_is_recorded_with_what_follows_from_the_wallet() -> None:
    desk = await certified()
    await desk.hear(BEN, change(desk))
    recorded = ceremony_of(desk, CHANGE).proposal
    assert (recorded.wallet_name, recorded.kinds, recorded.proposer) == ("Treasury", (KIND,), BEN)
    assert ceremony_of(desk, CHANGE).purpose is CeremonyPurpose.REFRESH
    assert (recorded.quorum, recorded.previous) == (Quorum(2, CUSTODIANS), Quorum(2, CUSTODIANS))
    assert (recorded.from_epoch, recorded.epoch, recorded.approvals_needed) == (0, 1, 2)


async def test_a_reshare_keeps_the_indices_of_who_stays() -> None:
    desk = await certified()
    reshare = {"purpose": "reshare", "custodians": (ANA, CHIARA, EVE), "dealers": (ANA, BEN)}
    await desk.hear(ANA, change(desk, **reshare))
    assert ceremony_of(desk, CHANGE).quorum == Quorum(2, (ANA, CHIARA, EVE), (1, 3, 4))
    assert ceremony_of(desk, CHANGE).indices == {ANA: 1, BEN: 2, CHIARA: 3, EVE: 4}


@pytest.mark.parametrize(
    ("changes", "refusal", "words"),
    [
        ({"wallet": "wl-00000000000000ff"}, NotYetPossible, "wallet is not known"),
        ({"from_epoch": 1, "epoch": 2}, NotYetPossible, "epoch that is not known here yet"),
        ({"custodians": (ANA, BEN, DORA)}, UnknownMember, "dora is not in the roster"),
        ({"custodians": (ANA, BEN, EVE)}, Conflict, "changes no custodian"),
        ({"threshold": 3}, Conflict, "changes no custodian"),
        ({"approvals_needed": 3}, InvalidQuorum, "cannot be reached"),
        ({"purpose": "sell"}, NotYetPossible, "no ceremony to 'sell'"),
        ({"purpose": "generate"}, Conflict, "a key generation changes no shares"),
        ({"epoch": 0}, Conflict, "begins a later epoch"),
        ({"epoch": 65}, NotYetPossible, "far beyond those known"),
    ],
)
async def test_a_change_that_does_not_follow_from_the_wallet_is_refused(
    changes: dict[str, object], refusal: type[DomainError], words: str
) -> None:
    desk = await certified()
    with pytest.raises(refusal, match=words):
        await desk.hear(ANA, change(desk, **changes))
    assert desk.steps == []


async def test_changes_that_compete_are_all_recorded() -> None:
    """The others may certify any of them, and then this member must know what was certified."""
    desk = await refreshed()
    await desk.hear(ANA, change(desk, ceremony=ANOTHER, epoch=2))
    late = ceremony_of(desk, ANOTHER)
    assert (late.proposal.from_epoch, late.epoch) == (0, 2)  # type: ignore[union-attr]
    third = CeremonyId("kc-00000000000000ff")
    await desk.hear(BEN, change(desk, ceremony=third, epoch=1))
    assert ceremony_of(desk, third).quorum == Quorum(2, CUSTODIANS)
    assert wallet_of(desk).epoch == 1


async def test_a_change_follows_from_the_custodians_of_the_epoch_that_it_names() -> None:
    desk = await change_accepted(**RESHARE)
    await desk.key_generation.open(info(LATER, CHANGE))
    await desk.key_generation.succeeded(info(LATER, CHANGE), outcome(owners=(1, 3, 4)))
    await confirm(desk, ANA, BEN, CHIARA, EVE, ceremony=CHANGE)
    assert wallet_of(desk).quorum.custodians == (ANA, CHIARA, EVE)
    await desk.hear(BEN, change(desk, ceremony=ANOTHER, epoch=2))
    assert ceremony_of(desk, ANOTHER).quorum == Quorum(2, CUSTODIANS)
    later = {"from_epoch": 1, "epoch": 2, "custodians": (ANA, CHIARA, EVE)}
    await desk.hear(ANA, change(desk, ceremony=CeremonyId("kc-00000000000000ff"), **later))


async def test_no_member_can_use_up_all_epochs_of_a_wallet() -> None:
    desk = await certified()
    with pytest.raises(NotYetPossible, match="far beyond"):
        await desk.hear(ANA, change(desk, epoch=(1 << 31) - 1))
    await desk.hear(ANA, change(desk, epoch=MAX_EPOCHS_AHEAD))
    await desk.hear(BEN, change(desk, ceremony=ANOTHER, epoch=MAX_EPOCHS_AHEAD + 1))


async def test_other_wallets_take_no_epoch() -> None:
    desk = await certified()
    other = WalletId("wl-00000000000000ff")
    await desk.hear(ANA, proposal(desk, ceremony=ANOTHER, wallet=other))
    await desk.hear(ANA, change(desk))


async def test_a_change_that_is_told_again_after_the_wallet_moved_on_changes_nothing() -> None:
    desk = await certified()
    resharing = change(
        desk, purpose="reshare", custodians=(ANA, CHIARA, EVE), dealers=(ANA, BEN, CHIARA)
    )
    await desk.hear(ANA, resharing)
    await nothing_recorded(desk, ANA, resharing)
    desk = await refreshed()
    assert wallet_of(desk).epoch == 1
    again = change(desk, at_ms=ceremony_of(desk, CHANGE).proposal.proposed_at_ms)
    await nothing_recorded(desk, ANA, again)
    await desk.hear(ANA, change(desk, expires_at_ms=desk.now_ms + 1))
    # It is on record against Ana, and the certificate outweighs it.
    assert ceremony_of(desk, CHANGE).disputed is not None
    assert ceremony_of(desk, CHANGE).state is CeremonyState.CERTIFIED
