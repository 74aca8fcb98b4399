"""What members sign about requests: judged by their bytes, recorded once, or refused in words."""

import msgspec
import pytest
from solders.keypair import Keypair

from console.application.errors import UnknownTransaction
from console.application.peers.pages import statements_after
from console.application.peers.signed_statements import StatementRefused, to_signed
from console.application.peers.statements import (
    AnyStatement,
    Approval,
    Denial,
    SignatureResult,
    Withdrawal,
)
from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    Expired,
    NotYetPossible,
    PolicyViolation,
    UnknownMember,
)
from console.domain.ids import MemberId, RequestId
from console.domain.quotas import Counted
from console.domain.signing_request import RequestState
from console.domain.times import MAX_CLOCK_SKEW_MS, MAX_LIFETIME_MS
from console.domain.values import Chain, Network
from tests.fakes.solana_messages import build_transfer
from tests.unit.application.ceremonies.scenes import (
    CHANGE,
    LATER,
    RESHARE,
    accept,
    certified,
    change,
    confirm,
    info,
    nothing_recorded,
    outcome,
    refreshed,
    wallet_of,
)
from tests.unit.application.desk import HOUR_MS, Desk
from tests.unit.application.signing.scenes import (
    FRIEND,
    OTHER_REQUEST,
    PAIR,
    RECENT,
    approval,
    approved,
    group_signature,
    invited,
    payment,
    proposed,
    request_of,
    result,
    sign_info,
    signatures,
    signing,
    transfer,
)
from tests.unit.domain.facts import (
    ANA,
    BEN,
    CHIARA,
    CUSTODIANS,
    EVE,
    FIRST,
    KIND,
    REQUEST,
    SECOND,
    WALLET,
)


def denial(desk: Desk) -> Denial:
    return Denial(desk.now_ms, REQUEST, "no such invoice")


def withdrawal(desk: Desk) -> Withdrawal:
    return Withdrawal(desk.now_ms, REQUEST)


async def test_a_request_is_recorded_as_it_was_signed() -> None:
    desk = await certified()
    text = transfer(desk, note="March")
    verified = await desk.hear(ANA, text)
    recorded = request_of(desk).proposal
    assert (recorded.request, recorded.wallet, recorded.kind) == (REQUEST, WALLET, KIND)
    assert (recorded.chain, recorded.network) == (Chain.SOLANA, Network.DEVNET)
    assert (recorded.transaction, recorded.path) == (text.transaction, text.path)
    assert (recorded.fee_ceiling, recorded.note, recorded.epoch) == (10_000, "March", 0)
    assert (recorded.proposer, recorded.policy_version) == (ANA, 1)
    assert (recorded.proposed_at_ms, recorded.expires_at_ms) == (text.at_ms, text.expires_at_ms)
    assert (recorded.intent_digest, recorded.evidence) == (verified.digest, verified.evidence)
    await nothing_recorded(desk, ANA, text)


@pytest.mark.parametrize(
    ("changes", "refusal", "words"),
    [
        ({"wallet": "wl-00000000000000ff"}, NotYetPossible, "wallet is not known"),
        ({"kind": "rot13"}, NotYetPossible, "does not know 'rot13'"),
        ({"chain": "dogecoin"}, NotYetPossible, "does not know 'dogecoin'"),
        ({"network": "moonnet"}, NotYetPossible, "does not know 'moonnet'"),
        ({"chain": "bitcoin"}, NotYetPossible, "no connection to bitcoin"),
        ({"network": "mainnet"}, Conflict, "is for mainnet, this node is on devnet"),
        ({"epoch": 1}, NotYetPossible, "an epoch that has not begun here yet"),
        ({"path": "m/9"}, Conflict, "an account that its chain does not have"),
        ({"kind": "schnorr-bip340"}, Conflict, "an account that its chain does not have"),
        ({"fee_ceiling": 1}, PolicyViolation, "Fee limit"),
        ({"policy_version": 2}, PolicyViolation, "another version of the policy"),
        ({"transaction": b"nonsense"}, UnknownTransaction, None),
    ],
)
async def test_a_request_that_its_bytes_or_the_wallet_contradict_is_refused(
    changes: dict[str, object], refusal: type[Exception], words: str | None
) -> None:
    desk = await certified()
    with pytest.raises(refusal, match=words):
        await desk.hear(ANA, transfer(desk, **changes))
    assert desk.steps == []


async def test_a_stranger_asks_for_nothing() -> None:
    desk = await certified()
    with pytest.raises(UnknownMember, match="eve is not a custodian"):
        await desk.hear(EVE, transfer(desk))


async def test_two_texts_under_one_id_are_kept_as_proof_and_neither_is_signed() -> None:
    desk = await approved()
    await desk.hear(ANA, transfer(desk, note="other"))
    state = request_of(desk)
    assert state.state is RequestState.DENIED
    assert state.disputed is not None
    both = (state.proposal.evidence, state.disputed.evidence)
    assert {e.signer for e in both} == {ANA}
    assert {to_signed(evidence) for evidence in both} <= {
        *(await statements_after(desk.ledger, 0))[0]
    }
    with pytest.raises(AlreadyDecided):
        await desk.signing.admit(invited(), ANA)


async def test_another_member_s_text_under_the_same_id_is_refused() -> None:
    desk = await approved()
    with pytest.raises(Conflict, match="another member made"):
        await desk.hear(BEN, transfer(desk, note="other"))
    assert request_of(desk).state is RequestState.APPROVED


@pytest.mark.parametrize("open_ms", [0, -1, MAX_LIFETIME_MS + 1, 1 << 41])
async def test_a_request_is_open_for_a_week_at_most(open_ms: int) -> None:
    desk = await certified()
    with pytest.raises(Conflict, match="at most 7 days"):
        await desk.hear(ANA, transfer(desk, expires_at_ms=desk.now_ms + open_ms))


async def test_a_member_s_requests_of_a_day_are_bounded() -> None:
    desk = await certified()
    for _ in range(Counted.REQUEST.value):
        desk.aggregates.quotas.count(ANA, Counted.REQUEST, desk.now_ms)
    with pytest.raises(PolicyViolation, match="ana has begun 5000 in a day"):
        await desk.hear(ANA, transfer(desk))
    await desk.hear(BEN, transfer(desk))
    # What is told again is no new one.
    await desk.hear(BEN, transfer(desk))


async def test_a_payment_from_another_account_than_the_wallet_s_is_refused() -> None:
    desk = await certified()
    theirs = build_transfer(bytes(Keypair.from_seed(b"t" * 32).pubkey()), FRIEND, 5, "", RECENT)
    with pytest.raises(PolicyViolation, match="Own account"):
        await desk.hear(ANA, transfer(desk, transaction=theirs))
    assert desk.steps == []


async def test_requests_are_judged_by_the_policy_of_their_epoch() -> None:
    desk = await refreshed()
    with pytest.raises(PolicyViolation, match="another version of the policy"):
        await desk.hear(ANA, transfer(desk, epoch=0, policy_version=2))
    await desk.hear(ANA, transfer(desk))
    assert request_of(desk).proposal.epoch == 1
    assert request_of(desk).policy.version == 2


async def test_who_hears_of_a_request_after_its_epoch_learns_that_it_was_signed() -> None:
    """Otherwise it depended on the order in which a new epoch and a payment became known."""
    desk = await refreshed()
    await desk.hear(ANA, transfer(desk, epoch=0, policy_version=1))
    assert request_of(desk).policy.version == 1
    assert request_of(desk).is_outdated(1)
    await desk.hear(BEN, approval(desk))
    await desk.hear(CHIARA, approval(desk))
    with pytest.raises(Conflict, match="another epoch"):
        await desk.signing.admit(invited(), ANA)
    await desk.hear(ANA, result(desk))
    assert request_of(desk).state is RequestState.SIGNED
    again = await desk.reopened()
    assert request_of(again) == request_of(desk)


async def test_approvals_of_exactly_this_intent_make_the_quorum() -> None:
    desk = await proposed()
    await desk.hear(BEN, approval(desk))
    assert request_of(desk).state is RequestState.PROPOSED
    await desk.hear(CHIARA, approval(desk))
    assert request_of(desk).state is RequestState.APPROVED
    assert [a.member for a in request_of(desk).approvals] == [BEN, CHIARA]
    await nothing_recorded(desk, CHIARA, approval(desk))


async def test_an_approval_of_another_intent_is_refused() -> None:
    desk = await proposed()
    with pytest.raises(Conflict, match="another intent"):
        await desk.hear(BEN, approval(desk, intent_digest=bytes(32)))


async def test_who_asked_does_not_approve_and_a_stranger_neither() -> None:
    desk = await proposed()
    for member in (ANA, EVE):
        with pytest.raises(PolicyViolation):
            await desk.hear(member, approval(desk))
        assert request_of(desk).approvals == ()


async def test_a_late_approval_is_refused() -> None:
    desk = await proposed()
    desk.clock.advance(HOUR_MS / 1000)
    with pytest.raises(Expired):
        await desk.hear(BEN, approval(desk))


async def test_a_decision_is_dated_within_the_request_s_time() -> None:
    desk = await proposed()
    earliest = desk.now_ms - 2 * MAX_CLOCK_SKEW_MS
    for statement in (approval(desk, at_ms=earliest - 1), approval(desk, at_ms=0)):
        with pytest.raises(Conflict, match="dated before the proposal"):
            await desk.hear(BEN, statement)
    await desk.hear(BEN, approval(desk, at_ms=earliest))


async def test_what_is_said_of_an_unknown_request_has_to_wait() -> None:
    desk = await certified()
    told: list[AnyStatement] = [
        Approval(desk.now_ms, REQUEST, bytes(32)),
        denial(desk),
        withdrawal(desk),
        SignatureResult(
            at_ms=desk.now_ms, request=REQUEST, session=FIRST, signers=PAIR, signatures=(bytes(64),)
        ),
    ]
    for statement in told:
        with pytest.raises(NotYetPossible, match="request is not known"):
            await desk.hear(BEN, statement)


async def test_a_custodian_s_denial_ends_the_request() -> None:
    desk = await approved()
    with pytest.raises(NotYetPossible, match="eve is not known here as a custodian"):
        await desk.hear(EVE, denial(desk))
    await desk.hear(CHIARA, denial(desk))
    denied = request_of(desk).denial
    assert denied is not None
    assert (denied.member, denied.reason) == (CHIARA, "no such invoice")
    await desk.hear(ANA, withdrawal(desk))
    assert request_of(desk).state is RequestState.DENIED


async def test_only_who_asked_withdraws() -> None:
    desk = await approved()
    with pytest.raises(PolicyViolation, match="only the member who made"):
        await desk.hear(BEN, withdrawal(desk))
    await desk.hear(ANA, withdrawal(desk))
    assert request_of(desk).state is RequestState.WITHDRAWN


async def test_signatures_that_verify_are_recorded_with_the_bytes_to_broadcast() -> None:
    desk = await approved()
    text = result(desk)
    # Whoever brings them: they prove themselves.
    verified = await desk.hear(EVE, text)
    signed = request_of(desk).signed
    assert signed is not None
    assert (signed.signers, signed.session, signed.signatures) == (PAIR, FIRST, text.signatures)
    chain = desk.chains[Chain.SOLANA]
    keys = desk.transactions.keys(desk.aggregates.wallet(WALLET))
    attached = chain.attach(request_of(desk).proposal.transaction, text.signatures, keys)
    assert (signed.signed_transaction, signed.transaction_id) == (
        attached.transaction,
        attached.transaction_id,
    )
    assert (signed.evidence, signed.at_ms) == (verified.evidence, desk.now_ms)
    await nothing_recorded(desk, BEN, text)


def cut(text: SignatureResult, *signed: bytes) -> SignatureResult:
    return msgspec.structs.replace(text, signatures=signed)


async def test_signatures_that_prove_nothing_are_refused() -> None:
    desk = await approved()
    (right,) = signatures(desk)
    proposal = request_of(desk).proposal
    (payload,) = desk.transactions.payloads(proposal)
    for wrong in ((), (right, right)):
        with pytest.raises(StatementRefused, match="missing or one too many"):
            await desk.hear(BEN, cut(result(desk), *wrong))
    flipped = right[:-1] + bytes([right[-1] ^ 1])
    of_another_key = group_signature(payload.message, "m/7")
    of_another_text = group_signature(b"another text", payload.path)
    for false in (flipped, of_another_key, of_another_text, b""):
        with pytest.raises(StatementRefused, match="does not verify under the group key"):
            await desk.hear(BEN, cut(result(desk), false))
    assert request_of(desk).signed is None


async def test_signatures_without_approvals_are_not_taken() -> None:
    desk = await proposed()
    await desk.hear(BEN, approval(desk))
    with pytest.raises(NotYetPossible, match="approvals are not complete"):
        await desk.hear(BEN, result(desk))


async def test_a_session_under_way_is_over_after_a_restart() -> None:
    after = await (await signing()).reopened()
    await after.requests.burn_interrupted()
    assert after.taken() == ["recorded SigningSessionFailed"]
    (attempt,) = request_of(after).attempts
    assert (attempt.failure, attempt.blamed, attempt.unreachable) == (
        "ana was restarted",
        (),
        (),
    )
    await after.requests.burn_interrupted()
    assert after.steps == []


async def test_a_request_that_is_not_being_signed_outlives_a_restart() -> None:
    for scene in (proposed, approved):
        after = await (await scene()).reopened()
        await after.requests.burn_interrupted()
        assert after.steps == []
    desk = await signing()
    await desk.hear(BEN, result(desk))
    after = await desk.reopened()
    await after.requests.burn_interrupted()
    assert after.steps == []
    assert request_of(after).state is RequestState.SIGNED


async def test_a_request_of_many_is_ended_alone() -> None:
    desk = await certified()
    await desk.hear(BEN, transfer(desk, request=OTHER_REQUEST, transaction=payment(desk, 6)))
    desk = await signing(desk)
    after = await desk.reopened()
    await after.requests.burn_interrupted()
    assert request_of(after, OTHER_REQUEST).attempts == ()
    assert sign_info(SECOND).session == SECOND
    assert RequestId(REQUEST) in after.aggregates.requests


async def resharing_to_eve(desk: Desk) -> None:
    """Certify new shares, with Eve in Ben's place."""
    await desk.hear(ANA, change(desk, **RESHARE))
    await accept(desk, *CUSTODIANS, EVE, ceremony=CHANGE)
    await desk.key_generation.open(info(LATER, CHANGE))
    await desk.key_generation.succeeded(info(LATER, CHANGE), outcome(owners=(1, 3, 4)))
    await confirm(desk, *CUSTODIANS, EVE, ceremony=CHANGE)


@pytest.mark.parametrize("member", [CHIARA, BEN, EVE])
async def test_custodians_of_then_and_of_today_close_a_request_of_an_epoch_that_is_over(
    member: MemberId,
) -> None:
    desk = await approved()
    await resharing_to_eve(desk)
    assert request_of(desk).is_outdated(wallet_of(desk).epoch)
    await desk.hear(member, denial(desk))
    assert request_of(desk).state is RequestState.DENIED
    assert not request_of(desk).is_outdated(wallet_of(desk).epoch)


async def test_a_denial_by_a_custodian_of_an_epoch_that_is_not_known_yet_has_to_wait() -> None:
    desk = await approved()
    with pytest.raises(NotYetPossible, match="eve is not known here as a custodian"):
        await desk.hear(EVE, denial(desk))
    await resharing_to_eve(desk)
    await desk.hear(EVE, denial(desk))
    assert request_of(desk).state is RequestState.DENIED
