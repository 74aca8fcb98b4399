"""Verdicts: durable before anything follows, binding for one wallet in one epoch."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.application.errors import LedgerUnavailable, ShareUnavailable, VaultLocked
from console.application.ports.threshold import KeyMaterial
from console.application.sessions.protocol_session import FailureKind, SessionFailed
from console.application.signing.drills import drill_subject
from console.domain.errors import PolicyViolation
from console.domain.events import SignedMessage
from console.domain.ids import MemberId, SessionId, WalletId
from console.domain.verdicts import Verdict
from console.protocols.kernel.abort import AbortKind
from console.protocols.kernel.secret import SecretBytes
from tests.adversary.keys import copy_of, dealt
from tests.unit.application.ceremonies.scenes import certified, info, refreshed, wallet_of
from tests.unit.application.desk import Desk
from tests.unit.application.signing.scenes import approved
from tests.unit.domain.facts import BEN, CEREMONY, CHIARA, FIRST, KIND, REQUEST, SECOND, WALLET

LEFT = b"without the banned peer"


class Pairwise(EddsaEd25519):
    """Keeps something with peers, as DKLs23 does; `left` is what remains after a ban."""

    def __init__(self) -> None:
        self.asked: list[frozenset[int]] = []
        self.left: KeyMaterial | None = None

    def without_peers(self, held: KeyMaterial, peers: Collection[int]) -> KeyMaterial | None:
        self.asked.append(frozenset(peers))
        if not peers:
            return None
        share = replace(held.share, secret=copy_of(held.share.secret))
        self.left = KeyMaterial(share, SecretBytes(LEFT))
        return self.left


def failed(kind: AbortKind, *blamed: MemberId) -> SessionFailed:
    return SessionFailed(
        FailureKind.ABORTED,
        "a row check failed",
        blamed=frozenset(blamed),
        kind=kind,
        check="ot-row",
        proof=(SignedMessage(BEN, b"envelope", b"signature"),),
    )


BAN, BLAME, FREEZE = (
    failed(AbortKind.BAN, BEN),
    failed(AbortKind.BLAME, CHIARA, BEN),
    failed(AbortKind.FREEZE),
)


@pytest.mark.parametrize(
    ("failure", "verdict", "blamed"),
    [
        (BAN, Verdict.BAN, (BEN,)),
        (BLAME, Verdict.BLAME, (BEN, CHIARA)),
        (FREEZE, Verdict.FREEZE, ()),
    ],
)
async def test_a_failed_check_is_recorded_with_its_proof(
    failure: SessionFailed, verdict: Verdict, blamed: tuple[MemberId, ...]
) -> None:
    desk = await Desk().open()
    await desk.verdicts.record(info(purpose="signing", subject="rq"), failure, WALLET, 3)
    (found,) = desk.aggregates.verdicts
    assert (found.verdict, found.blamed, found.check) == (verdict.value, blamed, "ot-row")
    assert (found.session, found.purpose, found.subject) == (FIRST, "signing", "rq")
    assert (found.wallet, found.epoch, found.at_ms) == (WALLET, 3, desk.now_ms)
    assert (found.reason, found.proof) == (failure.reason, failure.proof)


@pytest.mark.parametrize("kind", list(FailureKind))
async def test_what_nobody_is_accused_of_is_no_verdict(kind: FailureKind) -> None:
    desk = await Desk().open()
    trouble = SessionFailed(kind, "nobody answers", unreachable=frozenset({BEN}))
    await desk.verdicts.record(info(), trouble, WALLET)
    assert (desk.aggregates.verdicts, desk.stopped) == ([], [])


async def test_a_session_has_one_verdict() -> None:
    desk = await Desk().open()
    await desk.verdicts.record(info(), BLAME, WALLET)
    await desk.verdicts.record(info(), FREEZE, WALLET)
    assert [v.verdict for v in desk.aggregates.verdicts] == [Verdict.BLAME]


async def test_a_ban_is_on_record_before_other_sessions_are_ended() -> None:
    desk = await Desk().open()
    await desk.verdicts.record(info(), BAN, WALLET)
    assert desk.taken() == ["recorded SessionAborted"]
    ((members, stopped),) = desk.stopped
    assert members == {BEN}
    assert stopped.failure_kind is FailureKind.CANCELLED
    assert not stopped.blamed


async def test_a_ban_that_cannot_be_recorded_ends_nothing() -> None:
    desk = await Desk().open()
    desk.ledger.fail_next = True
    with pytest.raises(LedgerUnavailable):
        await desk.verdicts.record(info(), BAN, WALLET)
    assert desk.stopped == []


async def test_blame_ends_no_other_session() -> None:
    desk = await Desk().open()
    await desk.verdicts.record(info(), BLAME, WALLET)
    assert desk.stopped == []


async def test_a_freeze_ends_the_sessions_that_use_the_wallet_s_keys() -> None:
    desk = await approved()
    await desk.verdicts.record(info(), FREEZE, WALLET)
    ((uses, failure),) = desk.stopped
    assert failure.failure_kind is FailureKind.CANCELLED
    assert "quarantined" in failure.reason
    assert uses(REQUEST)
    assert uses(drill_subject(desk.aggregates.wallet(WALLET)))
    # A ceremony gives the keys new shares: it is the way out.
    assert not uses(CEREMONY)
    assert not uses("wl-00000000000000ff@0")
    assert not uses("rq-00000000000000ff")


async def holding(*failures: SessionFailed, wallet: WalletId = WALLET, epoch: int = 0) -> Desk:
    desk = await Desk().open()
    for number, failure in enumerate(failures):
        session = SessionId(f"{number:064x}")
        await desk.verdicts.record(info(session), failure, wallet, epoch)
    return desk


async def test_a_banned_member_is_signed_with_no_more() -> None:
    desk = await holding(BAN)
    assert desk.verdicts.banned(WALLET, 0) == {BEN}
    with pytest.raises(PolicyViolation, match="does not sign with ben until a refresh"):
        desk.verdicts.require_usable(WALLET, 0, frozenset({BEN, CHIARA}))
    desk.verdicts.require_usable(WALLET, 0, frozenset({CHIARA}))


async def test_all_who_are_banned_are_named() -> None:
    desk = await holding(failed(AbortKind.BAN, CHIARA), BAN)
    with pytest.raises(PolicyViolation, match="with ben, chiara until"):
        desk.verdicts.require_usable(WALLET, 0, frozenset({BEN, CHIARA}))


async def test_after_a_freeze_the_keys_are_quarantined_for_everybody() -> None:
    desk = await holding(FREEZE)
    with pytest.raises(PolicyViolation, match="quarantined here until a refresh: a row check"):
        desk.verdicts.require_usable(WALLET, 0, frozenset())


async def test_blame_binds_nobody_to_exclude_anybody() -> None:
    desk = await holding(BLAME)
    assert desk.verdicts.banned(WALLET, 0) == frozenset()
    desk.verdicts.require_usable(WALLET, 0, frozenset({BEN, CHIARA}))


@pytest.mark.parametrize(
    ("wallet", "epoch"), [(WALLET, 1), (WalletId("wl-00000000000000ff"), 0), (WalletId(""), 0)]
)
async def test_a_verdict_binds_in_its_own_wallet_and_epoch(wallet: WalletId, epoch: int) -> None:
    desk = await holding(BAN, FREEZE, wallet=wallet, epoch=epoch)
    assert desk.verdicts.banned(WALLET, 0) == frozenset()
    desk.verdicts.require_usable(WALLET, 0, frozenset({BEN}))
    with pytest.raises(PolicyViolation):
        desk.verdicts.require_usable(wallet, epoch, frozenset({BEN}))


async def test_verdicts_outlive_a_restart() -> None:
    desk = await holding(BAN)
    after = await desk.reopened()
    assert after.verdicts.banned(WALLET, 0) == {BEN}


async def held_by(desk: Desk) -> KeyMaterial:
    return await desk.shares.unseal(WALLET, KIND, wallet_of(desk).epoch)


async def test_after_a_ban_what_is_shared_with_the_banned_is_destroyed_where_it_rests() -> None:
    desk, scheme = await refreshed(), Pairwise()
    held = await held_by(desk)
    desk.steps.clear()
    await desk.verdicts.destroy(scheme, wallet_of(desk), held, BAN, {2})
    assert scheme.asked == [{2}]
    assert desk.taken() == [f"replaced {KIND.value} 1"]
    kept = await held_by(desk)
    assert kept.setup is not None
    assert bytes(kept.setup.view()) == LEFT
    assert kept.share == dealt(2, 3)[1]
    # The one in use belongs to the caller.
    assert not held.share.secret.wiped


@pytest.mark.parametrize("failure", [BLAME, FREEZE])
async def test_only_a_ban_destroys_anything(failure: SessionFailed) -> None:
    desk, scheme = await certified(), Pairwise()
    await desk.verdicts.destroy(scheme, wallet_of(desk), await held_by(desk), failure, {2})
    assert (scheme.asked, desk.steps) == ([], [])


async def test_where_nothing_is_kept_with_peers_nothing_is_replaced() -> None:
    desk, scheme = await certified(), Pairwise()
    await desk.verdicts.destroy(scheme, wallet_of(desk), await held_by(desk), BAN, ())
    assert desk.steps == []


@pytest.mark.parametrize("trouble", [VaultLocked, ShareUnavailable])
async def test_what_is_left_is_wiped_although_it_cannot_be_stored(
    trouble: type[Exception],
) -> None:
    desk, scheme = await certified(), Pairwise()
    held = await held_by(desk)
    if trouble is VaultLocked:
        await desk.vault.lock()
    else:
        await desk.shares.erase(WALLET, KIND, 0)
    with pytest.raises(trouble):
        await desk.verdicts.destroy(scheme, wallet_of(desk), held, BAN, {2})
    assert scheme.left is not None
    assert scheme.left.setup is not None
    assert scheme.left.setup.wiped
    assert scheme.left.share.secret.wiped


async def test_sessions_are_told_apart() -> None:
    desk = await Desk().open()
    await desk.verdicts.record(info(FIRST), BLAME, WALLET)
    await desk.verdicts.record(info(SECOND), FREEZE, WALLET)
    assert [v.session for v in desk.aggregates.verdicts] == [FIRST, SECOND]
