"""Epochs: a whole certificate begins one, and only then the shares before it go."""

import pytest

from console.application.errors import HsmError, LedgerUnavailable
from console.application.peers.statements import (
    CeremonyCancellation,
    Erasure,
    KeyCertificate,
)
from console.application.ports.share_storage import ShareLabel
from console.domain.errors import Conflict, NotYetPossible, UnknownMember
from console.domain.ids import MemberId
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
    erased,
    info,
    outcome,
    proposal,
    refreshed,
    sealed,
    wallet_of,
)
from tests.unit.application.ceremonies.test_certificates import certificate_of
from tests.unit.application.desk import Desk
from tests.unit.domain.facts import ANA, BEN, CEREMONY, CHIARA, CUSTODIANS, EVE, KIND, WALLET

OLD, NEW = f"{KIND.value} 0", f"{KIND.value} 1"


async def labels(desk: Desk) -> list[int]:
    return sorted(epoch for _, epoch in await desk.shares.stored(WALLET))


async def test_old_shares_go_after_the_new_epoch_is_on_record_and_are_then_signed_for() -> None:
    desk = await change_sealed()
    await confirm(desk, ANA, BEN, ceremony=CHANGE)
    assert await labels(desk) == [0, 1]
    desk.steps.clear()
    await confirm(desk, CHIARA, ceremony=CHANGE)
    assert desk.taken()[:5] == [
        "recorded CeremonyCodeConfirmed",
        "recorded WalletActivated",
        f"erased {OLD}",
        "recorded SharesErased",
        "told Erasure",
    ]
    assert desk.told[0] == Erasure(desk.now_ms, WALLET, 0)
    assert wallet_of(desk).has_erased(ANA)


async def test_a_share_that_cannot_be_erased_is_not_signed_for_before_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor does it keep the node from starting: it is tried again at the next start."""
    desk = await change_sealed()
    with monkeypatch.context() as failing:
        failing.setattr(desk.storage, "erase", cannot_erase)
        await confirm(desk, ANA, BEN, CHIARA, ceremony=CHANGE)
        await desk.epochs.resume()
    assert Erasure not in map(type, desk.told)
    await desk.epochs.resume()
    assert Erasure in map(type, desk.told)


async def cannot_erase(_label: ShareLabel) -> None:
    raise HsmError("a share cannot be erased: Permission denied")


@pytest.mark.parametrize("proposer", [ANA, BEN], ids=["who proposed", "another"])
async def test_whoever_took_part_hands_the_certificate_on(proposer: MemberId) -> None:
    """Whoever proposed it may be gone for good, and then a left-out member would keep its share."""
    desk = await certified()
    await desk.hear(proposer, change(desk))
    await accept(desk, *CUSTODIANS, ceremony=CHANGE)
    await desk.key_generation.open(info(LATER, CHANGE))
    await desk.key_generation.succeeded(info(LATER, CHANGE), outcome())
    await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    assert [type(t) for t in desk.told] == [Erasure, KeyCertificate]
    assert ceremony_of(desk, CHANGE).certified is not None
    assert wallet_of(desk).epoch == 1


async def test_a_certificate_is_handed_on_although_the_ceremony_was_cancelled_meanwhile() -> None:
    desk = await change_sealed()
    await confirm(desk, ANA, BEN, ceremony=CHANGE)
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CHANGE, "too slow"))
    await confirm(desk, CHIARA, ceremony=CHANGE)
    assert [type(t) for t in desk.told] == [Erasure, KeyCertificate]
    assert ceremony_of(desk, CHANGE).state is CeremonyState.CERTIFIED


async def test_a_certificate_is_handed_on_after_a_restart() -> None:
    desk = await certified()
    await desk.hear(BEN, change(desk))
    await accept(desk, *CUSTODIANS, ceremony=CHANGE)
    await desk.key_generation.open(info(LATER, CHANGE))
    await desk.key_generation.succeeded(info(LATER, CHANGE), outcome())
    await confirm(desk, BEN, CHIARA, ceremony=CHANGE)
    desk.ledger.fail_after("CeremonyCodeConfirmed")
    with pytest.raises(LedgerUnavailable):
        await confirm(desk, ANA, ceremony=CHANGE)
    after = await desk.reopened()
    await after.epochs.resume()
    assert [type(t) for t in after.told] == [Erasure, KeyCertificate]
    assert ceremony_of(after, CHANGE).certified is not None
    await after.epochs.resume()
    assert len(after.told) == 2


async def test_a_certificate_that_somebody_handed_on_is_not_told_again() -> None:
    desk = await certified()
    await desk.epochs.hand_on(ceremony_of(desk))
    assert desk.told == []


async def test_a_ceremony_that_is_not_certified_begins_no_epoch() -> None:
    desk = await sealed()
    await confirm(desk, ANA, BEN)
    desk.steps.clear()
    await desk.epochs.activate_if_certified(CEREMONY)
    assert desk.steps == []


async def test_an_epoch_begins_once() -> None:
    desk = await refreshed()
    desk.steps.clear()
    await desk.epochs.activate_if_certified(CHANGE)
    # A certificate of an epoch that is past begins nothing, and erases nothing in use.
    await desk.epochs.activate_if_certified(CEREMONY)
    assert desk.steps == []
    assert await labels(desk) == [1]


async def test_a_wallet_keeps_its_keys_through_every_epoch() -> None:
    desk = await change_accepted()
    later = info(LATER, CHANGE)
    await desk.key_generation.open(later)
    await desk.key_generation.succeeded(later, outcome(seed="another key"))
    with pytest.raises(Conflict, match="may not change the wallet's keys"):
        await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    assert wallet_of(desk).epoch == 0
    assert await labels(desk) == [0, 1]


async def test_an_erasure_is_recorded_as_it_was_signed() -> None:
    desk = await refreshed()
    desk.steps.clear()
    verified = await desk.hear(BEN, Erasure(desk.now_ms, WALLET, 0))
    erasure = wallet_of(desk).erased[-1]
    assert (erasure.member, erasure.epoch, erasure.at_ms) == (BEN, 0, desk.now_ms)
    assert erasure.evidence == verified.evidence
    assert desk.taken() == ["recorded SharesErased"]
    await erased(desk, BEN)
    assert desk.taken() == []


async def test_shares_in_use_cannot_be_said_to_be_gone() -> None:
    desk = await certified()
    with pytest.raises(NotYetPossible, match="not over here yet"):
        await desk.hear(BEN, Erasure(desk.now_ms, WALLET, 0))


async def test_a_stranger_has_nothing_to_erase() -> None:
    desk = await refreshed()
    with pytest.raises(UnknownMember, match="eve never held"):
        await erased(desk, EVE)
    with pytest.raises(NotYetPossible, match="not known here"):
        await desk.hear(BEN, Erasure(desk.now_ms, "wl-00000000000000ff", 0))


async def test_pending_shares_are_discarded_and_those_in_use_are_not() -> None:
    desk = await change_sealed()
    await desk.epochs.discard(ceremony_of(desk, CHANGE))
    assert desk.taken() == [f"erased {NEW}"]
    assert await labels(desk) == [0]


async def test_a_share_that_this_member_certified_is_not_discarded() -> None:
    desk = await change_sealed()
    await confirm(desk, ANA, ceremony=CHANGE)
    await desk.epochs.discard(ceremony_of(desk, CHANGE))
    assert await labels(desk) == [0, 1]


async def test_a_share_of_a_certified_ceremony_is_not_discarded() -> None:
    ana = await certified()
    chiara = await ana.neighbour(CHIARA)
    await chiara.hear(ANA, proposal(chiara))
    await chiara.hear(ANA, await certificate_of(ana))
    assert not ceremony_of(chiara).has_confirmed(CHIARA)
    share = outcome(3)[0][1].held
    assert share is not None
    await chiara.shares.seal(WALLET, KIND, 0, share)
    await chiara.epochs.discard(ceremony_of(chiara))
    assert await chiara.shares.holds(WALLET, KIND, 0)


async def test_a_late_failure_does_not_erase_the_shares_of_a_later_epoch() -> None:
    desk = await certified()
    await desk.hear(ANA, change(desk, epoch=1))
    await accept(desk, *CUSTODIANS, ceremony=CHANGE)
    await desk.key_generation.open(info(LATER, CHANGE))
    pending = ceremony_of(desk, CHANGE)
    await desk.key_generation.succeeded(info(LATER, CHANGE), outcome())
    await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    # The ceremony as it was known before: its epoch is the wallet's by now.
    await desk.epochs.discard(pending)
    assert await labels(desk) == [1]


async def test_in_the_first_epoch_there_is_nothing_to_tidy() -> None:
    desk = await certified()
    await desk.epochs.tidy(WALLET)
    assert (desk.steps, await labels(desk)) == ([], [0])


async def test_a_machine_that_waits_for_its_repair_says_nothing() -> None:
    desk = await refreshed()
    old = outcome()[0][1].held
    assert old is not None
    await desk.shares.erase(WALLET, KIND, 1)
    await desk.shares.seal(WALLET, KIND, 0, old)
    desk.told.clear()
    await desk.epochs.tidy(WALLET)
    assert await labels(desk) == [0]
    assert desk.told == []


async def test_what_is_gone_is_signed_for_once() -> None:
    desk = await refreshed()
    desk.steps.clear()
    await desk.epochs.tidy(WALLET)
    assert desk.steps == []


async def test_who_is_no_custodian_any_more_erases_its_shares_too() -> None:
    desk = await change_accepted(
        purpose="reshare", custodians=(BEN, CHIARA, EVE), dealers=(ANA, BEN)
    )
    later = info(LATER, CHANGE)
    indices = {ANA: 1, BEN: 2, CHIARA: 3, EVE: 4}
    await desk.key_generation.open(later)
    await desk.key_generation.succeeded(later, outcome(None, owners=(2, 3, 4)))
    desk.steps.clear()
    await confirm(desk, *indices, ceremony=CHANGE)
    assert wallet_of(desk).quorum.custodians == (BEN, CHIARA, EVE)
    assert f"erased {OLD}" in desk.steps
    assert desk.steps.index(f"erased {OLD}") < desk.steps.index("told Erasure")
    assert await labels(desk) == []
    assert wallet_of(desk).has_erased(ANA)


async def test_who_never_held_a_share_signs_nothing() -> None:
    ana = await refreshed()
    eve = await ana.neighbour(EVE)
    await eve.hear(ANA, proposal(eve))
    await eve.hear(ANA, await certificate_of(ana))
    await eve.hear(ANA, change(eve))
    await eve.hear(ANA, next(t for t in ana.told if isinstance(t, KeyCertificate)))
    assert wallet_of(eve).epoch == 1
    assert eve.told == []


async def test_a_crash_before_the_activation_is_made_good() -> None:
    desk = await change_sealed()
    desk.ledger.fail_after("CeremonyCodeConfirmed", 3)
    with pytest.raises(LedgerUnavailable):
        await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    assert wallet_of(desk).epoch == 0
    after = await desk.reopened()
    assert ceremony_of(after, CHANGE).state is CeremonyState.CERTIFIED
    await after.epochs.resume()
    assert after.taken() == [
        "recorded WalletActivated",
        f"erased {OLD}",
        "recorded SharesErased",
        "told Erasure",
        "recorded CeremonyCertified",
        "told KeyCertificate",
    ]


async def test_a_crash_between_erasing_and_saying_so_is_made_good() -> None:
    desk = await change_sealed()
    desk.ledger.fail_after("WalletActivated", 1)
    with pytest.raises(LedgerUnavailable):
        await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    assert await labels(desk) == [1]
    after = await desk.reopened()
    await after.epochs.resume()
    assert after.taken()[:2] == ["recorded SharesErased", "told Erasure"]


async def test_a_start_with_nothing_unfinished_changes_nothing() -> None:
    for scene in (accepted, sealed, certified, refreshed):
        after = await (await scene()).reopened()
        await after.epochs.resume()
        assert after.steps == []


async def test_a_cancelled_ceremony_that_all_have_certified_counts() -> None:
    desk = await change_sealed()
    await confirm(desk, ANA, ceremony=CHANGE)
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CHANGE, "stop"))
    await confirm(desk, BEN, CHIARA, ceremony=CHANGE)
    assert wallet_of(desk).epoch == 1
    assert await labels(desk) == [1]
