"""Sessions that sign: admitted by this member's own facts, and nothing of them left behind."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.application.errors import LedgerUnavailable, ShareUnavailable, VaultLocked
from console.application.peers.signed_statements import StatementRefused
from console.application.peers.statements import Denial, SignatureResult, Withdrawal
from console.application.ports.chain import Payload
from console.application.ports.threshold import KeyMaterial
from console.application.sessions.host import SUPERSEDED
from console.application.sessions.protocol_session import (
    FailureKind,
    SessionFailed,
    SubProtocol,
)
from console.application.signing.coordinator import MAX_SUPERSEDED, SigningCoordinator
from console.domain.errors import (
    AlreadyDecided,
    Conflict,
    DomainError,
    Expired,
    NotYetPossible,
    PolicyViolation,
    UnknownMember,
)
from console.domain.ids import MemberId, SessionId
from console.domain.signing_request import RequestState
from console.domain.values import Network, SignatureKind
from console.domain.verdicts import Verdict
from console.protocols.kernel.abort import AbortKind
from console.protocols.kernel.secret import SecretBytes
from tests.adversary.keys import copy_of, dealt
from tests.adversary.network import Network as Wire
from tests.adversary.network import stream
from tests.unit.application.ceremonies.scenes import (
    CHANGE,
    LATER,
    TIMEOUT,
    accept,
    certified,
    change,
    change_sealed,
    confirm,
    info,
    outcome,
)
from tests.unit.application.desk import HOUR_MS, Desk, opened_by
from tests.unit.application.signing.scenes import (
    OTHER_REQUEST,
    PAIR,
    approval,
    approved,
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


def failure(kind: AbortKind, *blamed: MemberId) -> SessionFailed:
    return SessionFailed(
        FailureKind.ABORTED,
        "a share does not verify",
        blamed=frozenset(blamed),
        kind=kind,
        check="signature-share",
    )


async def test_a_session_of_a_quorum_is_admitted_whoever_leads_it() -> None:
    desk = await approved()
    for leader in CUSTODIANS:
        await desk.signing.admit(invited(), leader)
    assert desk.signing.indices(invited(participants=(CHIARA, ANA))) == {CHIARA: 3, ANA: 1}
    assert desk.signing.parts(invited()) == (SubProtocol("EdDSA", ("Commit", "Sign", "Confirm")),)
    assert desk.signing.release_round == EddsaEd25519.release_round


@pytest.mark.parametrize(
    ("leader", "participants", "refusal", "words"),
    [
        (EVE, PAIR, UnknownMember, "only custodians of the wallet sign"),
        (ANA, (ANA, EVE), UnknownMember, "only custodians of the wallet sign"),
        (ANA, CUSTODIANS, Conflict, "exactly 2 signers"),
        (ANA, (ANA,), Conflict, "exactly 2 signers"),
        (ANA, (ANA, ANA), Conflict, "exactly 2 signers"),
    ],
)
async def test_a_session_of_others_is_refused(
    leader: MemberId, participants: tuple[MemberId, ...], refusal: type[DomainError], words: str
) -> None:
    desk = await approved()
    with pytest.raises(refusal, match=words):
        await desk.signing.admit(invited(participants=participants), leader)


async def test_an_unknown_request_has_no_session() -> None:
    desk = await approved()
    with pytest.raises(NotYetPossible, match="request is not known"):
        await desk.signing.admit(invited(OTHER_REQUEST), ANA)


async def test_approvals_are_counted_in_this_member_s_own_ledger() -> None:
    desk = await proposed()
    await desk.hear(BEN, approval(desk))
    with pytest.raises(NotYetPossible, match="approvals are not complete here"):
        await desk.signing.admit(invited(), BEN)


async def test_a_request_that_is_over_or_signed_is_not_signed_again() -> None:
    desk = await approved()
    await desk.hear(ANA, Withdrawal(desk.now_ms, REQUEST))
    with pytest.raises(AlreadyDecided, match="the request is withdrawn"):
        await desk.signing.admit(invited(), ANA)
    desk = await approved()
    await desk.hear(BEN, result(desk))
    with pytest.raises(AlreadyDecided, match="the request is signed"):
        await desk.signing.admit(invited(), ANA)


async def test_an_expired_request_is_not_signed() -> None:
    desk = await approved()
    desk.clock.advance(HOUR_MS / 1000 - 0.001)
    await desk.signing.admit(invited(), ANA)
    desk.clock.advance(0.001)
    with pytest.raises(Expired, match="propose it again"):
        await desk.signing.admit(invited(), ANA)


async def test_a_banned_member_is_not_signed_with_and_a_quarantined_key_does_not_sign() -> None:
    desk = await approved()
    await desk.verdicts.record(sign_info(SECOND), failure(AbortKind.BAN, BEN), WALLET, 0)
    with pytest.raises(PolicyViolation, match="does not sign with ben"):
        await desk.signing.admit(invited(), BEN)
    await desk.signing.admit(invited(participants=(ANA, CHIARA)), BEN)
    await desk.verdicts.record(sign_info(FIRST), failure(AbortKind.BAN, ANA), WALLET, 0)
    # What it may have recorded of itself stops nobody.
    await desk.signing.admit(invited(participants=(ANA, CHIARA)), ANA)
    await desk.verdicts.record(sign_info(LATER), failure(AbortKind.FREEZE), WALLET, 0)
    with pytest.raises(PolicyViolation, match="quarantined"):
        await desk.signing.admit(invited(participants=(ANA, CHIARA)), ANA)


async def test_a_member_without_its_share_says_so_before_others_wait() -> None:
    desk = await approved()
    await desk.shares.erase(WALLET, KIND, 0)
    with pytest.raises(NotYetPossible, match="it needs a repair"):
        await desk.signing.admit(invited(), ANA)


async def test_the_bytes_are_judged_again_before_they_are_signed() -> None:
    desk = await approved()
    desk.chains[next(iter(desk.chains))].network = Network.MAINNET
    with pytest.raises(Conflict, match="this node is on mainnet"):
        await desk.signing.admit(invited(), ANA)


async def test_a_request_of_another_epoch_is_not_signed() -> None:
    desk = await approved(await change_sealed())
    await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    with pytest.raises(Conflict, match="another epoch of the wallet's keys"):
        await desk.signing.admit(invited(), ANA)


class OneNonce:
    """A chain on which all payments of a wallet use the same nonce."""

    @staticmethod
    def consumes(_transaction: bytes) -> frozenset[str]:
        return frozenset({"nonce:1"})


async def competing() -> tuple[Desk, SigningCoordinator]:
    """Two approved requests for the same nonce."""
    desk = await certified()
    for chain in desk.chains.values():
        chain.consumes = OneNonce.consumes  # type: ignore[method-assign]
    await desk.hear(ANA, transfer(desk, request=OTHER_REQUEST, transaction=payment(desk, 6)))
    for member in (BEN, CHIARA):
        await desk.hear(member, approval(desk, OTHER_REQUEST))
    return await approved(desk), desk.signing


async def test_what_another_request_uses_up_is_neither_admitted_nor_released() -> None:
    desk, coordinator = await competing()
    await coordinator.open(sign_info())
    await coordinator.open(sign_info(SECOND, OTHER_REQUEST))
    await coordinator.releasing(sign_info(SECOND, OTHER_REQUEST))
    with pytest.raises(Conflict, match="the same coins or nonce"):
        await coordinator.admit(invited(), ANA)
    with pytest.raises(Conflict, match="the same coins or nonce"):
        await coordinator.releasing(sign_info())
    assert not request_of(desk).attempts[0].share_released


async def test_a_session_is_on_record_before_its_protocol_is_given() -> None:
    desk = await approved()
    await desk.signing.open(sign_info())
    assert desk.taken() == ["recorded SigningSessionStarted"]
    (attempt,) = request_of(desk).attempts
    assert (attempt.session, attempt.signers, attempt.coordinator) == (FIRST, PAIR, ANA)
    assert request_of(desk).state is RequestState.SIGNING
    with pytest.raises(AlreadyDecided, match="used before"):
        await desk.signing.open(sign_info())


async def test_without_a_record_no_share_is_opened() -> None:
    desk = await approved()
    opened = opened_by(desk)
    desk.ledger.fail_next = True
    with pytest.raises(LedgerUnavailable):
        await desk.signing.open(sign_info())
    assert opened == []


@pytest.mark.parametrize("trouble", [ShareUnavailable("it is lost"), VaultLocked("locked")])
async def test_a_share_that_does_not_open_ends_the_session(trouble: Exception) -> None:
    desk = await approved()
    desk.storage.trouble = trouble
    with pytest.raises(type(trouble)):
        await desk.signing.open(sign_info())
    assert desk.taken() == ["recorded SigningSessionStarted", "recorded SigningSessionFailed"]
    assert request_of(desk).attempts[0].failure == str(trouble)


async def test_the_protocol_signs_what_the_bytes_say_and_the_result_is_told() -> None:
    desk = await approved()
    run = await desk.signing.open(sign_info())
    (payload,) = desk.transactions.payloads(request_of(desk).proposal)
    ben = KeyMaterial(dealt(2, 3)[2])

    async def other(party):
        return await EddsaEd25519().sign(party, ben, payload.path, payload.message, stream("ben"))

    wire = Wire({1: run, 2: other}).deliver()
    assert not wire.aborts
    desk.steps.clear()
    await desk.signing.releasing(sign_info())
    await desk.signing.succeeded(sign_info(), wire.outcomes[1])
    assert desk.taken() == [
        "recorded SignatureShareReleased",
        "recorded RequestSigned",
        "told SignatureResult",
    ]
    (told,) = desk.told
    assert isinstance(told, SignatureResult)
    assert (told.signers, told.session, told.signatures) == (PAIR, FIRST, (wire.outcomes[2],))


async def test_a_share_is_released_once_and_only_on_record() -> None:
    desk = await signing()
    await desk.signing.releasing(sign_info())
    assert request_of(desk).attempts[0].share_released
    with pytest.raises(AlreadyDecided, match="releases no more shares"):
        await desk.signing.releasing(sign_info())
    with pytest.raises(AlreadyDecided, match="releases no more shares"):
        await desk.signing.releasing(sign_info(SECOND))
    desk = await signing()
    desk.ledger.fail_next = True
    with pytest.raises(LedgerUnavailable):
        await desk.signing.releasing(sign_info())


async def test_a_request_denied_meanwhile_gets_no_share() -> None:
    desk = await signing()
    await desk.hear(CHIARA, Denial(desk.now_ms, REQUEST, "stop"))
    with pytest.raises(AlreadyDecided, match="denied or withdrawn"):
        await desk.signing.releasing(sign_info())


@pytest.mark.parametrize(
    ("verdict", "words"),
    [(failure(AbortKind.BAN, BEN), "with ben"), (failure(AbortKind.FREEZE), "quarantined")],
)
async def test_a_verdict_meanwhile_holds_the_share_back(verdict: SessionFailed, words: str) -> None:
    """Admitted and begun before the verdict: it binds before anything is released."""
    desk = await signing()
    await desk.verdicts.record(sign_info(SECOND), verdict, WALLET, 0)
    with pytest.raises(PolicyViolation, match=words):
        await desk.signing.releasing(sign_info())
    assert not request_of(desk).attempts[0].share_released


async def test_who_ends_session_after_session_leads_no_more() -> None:
    desk = await approved()
    superseded = SessionFailed(FailureKind.CANCELLED, SUPERSEDED)
    for number in range(MAX_SUPERSEDED):
        await desk.signing.admit(invited(), ANA)
        session = SessionId(f"{number:064x}")
        await desk.signing.open(sign_info(session))
        await desk.signing.failed(sign_info(session), superseded)
    with pytest.raises(PolicyViolation, match=f"ana has ended {MAX_SUPERSEDED} sessions"):
        await desk.signing.admit(invited(), ANA)
    await desk.signing.admit(invited(), BEN)
    again = await desk.reopened()
    with pytest.raises(PolicyViolation, match="another custodian leads"):
        await again.signing.admit(invited(), ANA)


async def test_other_endings_of_sessions_count_for_nobody() -> None:
    desk = await approved()
    for number in range(MAX_SUPERSEDED + 1):
        session = SessionId(f"{number:064x}")
        await desk.signing.open(sign_info(session))
        await desk.signing.failed(sign_info(session), TIMEOUT)
    await desk.signing.admit(invited(), ANA)


async def test_what_is_agreed_in_a_session_is_the_intent() -> None:
    desk = await approved()
    assert desk.signing.terms(REQUEST) == request_of(desk).proposal.intent_digest
    with pytest.raises(NotYetPossible):
        desk.signing.terms(OTHER_REQUEST)


async def test_a_false_signature_is_not_told() -> None:
    desk = await signing()
    with pytest.raises(StatementRefused):
        await desk.signing.succeeded(sign_info(), (bytes(64),))
    assert (desk.told, request_of(desk).signed) == ([], None)


async def test_a_failure_is_recorded_with_who_was_silent_and_who_is_blamed() -> None:
    desk = await signing()
    await desk.signing.failed(sign_info(), TIMEOUT)
    assert desk.taken() == ["recorded SigningSessionFailed"]
    (attempt,) = request_of(desk).attempts
    assert (attempt.failure, attempt.unreachable, attempt.blamed) == (
        "no answer from ben",
        (BEN,),
        (),
    )
    assert desk.aggregates.verdicts == []
    desk = await signing()
    await desk.signing.failed(sign_info(), failure(AbortKind.BLAME, BEN, ANA))
    assert desk.taken() == ["recorded SessionAborted", "recorded SigningSessionFailed"]
    assert request_of(desk).attempts[0].blamed == (ANA, BEN)
    (verdict,) = desk.aggregates.verdicts
    assert (verdict.verdict, verdict.wallet, verdict.epoch) == (Verdict.BLAME, WALLET, 0)
    assert request_of(desk).state is RequestState.APPROVED


class Pairwise(EddsaEd25519):
    """Keeps something with peers, as DKLs23 does."""

    dropped: frozenset[int] = frozenset()

    def without_peers(self, held: KeyMaterial, peers: Collection[int]) -> KeyMaterial | None:
        self.dropped = frozenset(peers)
        return KeyMaterial(
            replace(held.share, secret=copy_of(held.share.secret)), SecretBytes(b"left")
        )


async def test_after_a_ban_what_is_shared_is_gone_before_anything_is_said() -> None:
    scheme = Pairwise()
    desk = await signing()
    desk.schemes[KIND] = scheme
    await desk.signing.failed(sign_info(), failure(AbortKind.BAN, BEN))
    assert desk.taken() == [
        "recorded SessionAborted",
        f"replaced {KIND.value} 0",
        "recorded SigningSessionFailed",
    ]
    assert scheme.dropped == {2}
    with pytest.raises(PolicyViolation, match="does not sign with ben"):
        await desk.signing.admit(invited(), BEN)


async def test_a_ban_in_a_session_of_the_epoch_before_touches_no_share_in_use() -> None:
    scheme = Pairwise()
    desk = await signing(await change_sealed())
    desk.schemes[KIND] = scheme
    await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    desk.steps.clear()
    await desk.signing.failed(sign_info(), failure(AbortKind.BAN, BEN))
    assert desk.taken() == ["recorded SessionAborted", "recorded SigningSessionFailed"]
    assert scheme.dropped == frozenset()
    assert desk.aggregates.verdicts[0].epoch == 0


async def test_every_ending_wipes_the_share_in_use() -> None:
    async def succeeded(desk: Desk) -> None:
        await desk.signing.succeeded(sign_info(), signatures(desk))

    async def false(desk: Desk) -> None:
        with pytest.raises(StatementRefused):
            await desk.signing.succeeded(sign_info(), (bytes(64),))

    async def failed(desk: Desk) -> None:
        await desk.signing.failed(sign_info(), TIMEOUT)

    async def blamed_without_a_ledger(desk: Desk) -> None:
        desk.ledger.fail_next = True
        with pytest.raises(LedgerUnavailable):
            await desk.signing.failed(sign_info(), failure(AbortKind.BLAME, BEN))

    async def banned_without_a_vault(desk: Desk) -> None:
        desk.schemes[KIND] = Pairwise()
        await desk.vault.lock()
        with pytest.raises(VaultLocked):
            await desk.signing.failed(sign_info(), failure(AbortKind.BAN, BEN))
        assert desk.aggregates.verdicts

    async def forgotten(desk: Desk) -> None:
        desk.signing.forget()

    for ending in (
        succeeded,
        false,
        failed,
        blamed_without_a_ledger,
        banned_without_a_vault,
        forgotten,
    ):
        desk = await approved()
        opened = opened_by(desk)
        await desk.signing.open(sign_info())
        assert [key.share.secret.wiped for key in opened] == [False]
        await ending(desk)
        assert [key.share.secret.wiped for key in opened] == [True], ending.__name__


async def test_another_session_s_ending_wipes_nothing() -> None:
    desk = await approved()
    opened = opened_by(desk)
    await desk.signing.open(sign_info())
    await desk.signing.failed(sign_info(SECOND), TIMEOUT)
    assert [key.share.secret.wiped for key in opened] == [False]


async def test_a_new_epoch_asks_for_new_requests() -> None:
    desk = await certified()
    await desk.hear(ANA, change(desk))
    await accept(desk, *CUSTODIANS, ceremony=CHANGE)
    await desk.key_generation.open(info(LATER, CHANGE))
    await desk.key_generation.succeeded(info(LATER, CHANGE), outcome())
    await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    desk = await approved(desk)
    await desk.signing.admit(invited(), BEN)
    opened = opened_by(desk)
    await desk.signing.open(sign_info())
    assert len(opened) == 1


class Named:
    """Signs with the name of its kind and the share that it was given."""

    signing_rounds, release_round = ("Sign",), 1

    def __init__(self, name: str) -> None:
        self.name = name

    async def sign(self, _party, held, path, message, _random) -> bytes:
        return b"|".join((self.name.encode(), held.name, path.encode(), message))


class NamedShare:
    def __init__(self, name: str) -> None:
        self.name, self.wiped = name.encode(), False

    def wipe(self) -> None:
        self.wiped = True


async def test_each_payload_is_signed_with_the_share_of_its_own_kind(monkeypatch) -> None:
    """A coin of each account of a wallet needs a signature of each kind (docs/faults.md, 21)."""
    desk = await approved()
    other = SignatureKind.ECDSA_SECP256K1
    needed = (Payload(b"1", KIND, "a"), Payload(b"2", other, "b"), Payload(b"3", KIND, "c"))
    monkeypatch.setattr(desk.transactions, "payloads", lambda _proposal: needed)
    monkeypatch.setitem(desk.schemes, KIND, Named("one"))
    monkeypatch.setitem(desk.schemes, other, Named("two"))
    opened: dict[SignatureKind, NamedShare] = {}

    async def unseal(_wallet, kind, _epoch) -> NamedShare:
        opened[kind] = NamedShare(kind.value)
        return opened[kind]

    monkeypatch.setattr(desk.shares, "unseal", unseal)
    labels = [part.name for part in desk.signing.parts(invited())]
    assert labels == [KIND.label, other.label, KIND.label]
    run = await desk.signing.open(sign_info())
    first, second = KIND.value.encode(), other.value.encode()
    assert await run(None) == (
        b"one|%s|a|1" % first,
        b"two|%s|b|2" % second,
        b"one|%s|c|3" % first,
    )
    assert set(opened) == {KIND, other}
    await desk.signing.failed(sign_info(), failure(AbortKind.RETRY, BEN))
    assert all(held.wiped for held in opened.values())
