"""Facts that the domain tests start from: three custodians, a ceremony and a request of theirs."""

from console.domain import (
    ceremony_commands,
    ceremony_decisions,
    key_ceremony,
    request_commands,
    request_decisions,
    signing_request,
)
from console.domain.events import (
    CeremonyProposed,
    CeremonyShareSealed,
    Evidence,
    GroupKey,
    RequestProposed,
)
from console.domain.ids import CeremonyId, MemberId, RequestId, SessionId, WalletId
from console.domain.key_ceremony import KeyCeremony
from console.domain.policy import Policy
from console.domain.signing_request import SigningRequest
from console.domain.values import Chain, Network, Quorum, SignatureKind

ANA, BEN, CHIARA, EVE = (MemberId(name) for name in ("ana", "ben", "chiara", "eve"))
CUSTODIANS = (ANA, BEN, CHIARA)
QUORUM = Quorum(2, CUSTODIANS)
POLICY = Policy(1, QUORUM, 2)
KIND = SignatureKind.EDDSA_ED25519
CEREMONY, WALLET = CeremonyId("kc-00000000000000aa"), WalletId("wl-00000000000000bb")
REQUEST = RequestId("rq-00000000000000cc")
FIRST, SECOND = SessionId("11" * 32), SessionId("22" * 32)
KEYS = (GroupKey(KIND, b"\x07" * 32, b"package"),)
DIGEST = b"\x0d" * 32
START, END = 1_000, 10_000


def said(by: MemberId, body: bytes = b"body") -> Evidence:
    return Evidence(kind="statement", body=body, signer=by, signature=b"\x01" * 64)


def ceremony_proposal(body: bytes = b"proposal") -> ceremony_commands.Propose:
    return ceremony_commands.Propose(
        ceremony=CEREMONY,
        wallet=WALLET,
        wallet_name="Treasury",
        kinds=(KIND,),
        quorum=QUORUM,
        approvals_needed=2,
        proposer=ANA,
        proposed_at_ms=START,
        expires_at_ms=END,
        evidence=said(ANA, body),
    )


def seal(session: SessionId = FIRST) -> ceremony_commands.SealShare:
    return ceremony_commands.SealShare(
        session=session,
        keys=KEYS,
        transcript=b"t" * 32,
        certificate_message=b"certificate",
        code="code",
        at_ms=START,
    )


def confirm(member: MemberId, session: SessionId = FIRST) -> ceremony_commands.ConfirmCode:
    return ceremony_commands.ConfirmCode(
        session=session,
        member=member,
        certificate_signature=b"s" * 64,
        at_ms=START,
        evidence=said(member),
    )


def ceremony_after(*commands: ceremony_commands.CeremonyCommand) -> KeyCeremony:
    """Fold what the commands decide, from the proposal on."""
    state: KeyCeremony | None = None
    for command in (ceremony_proposal(), *commands):
        for event in ceremony_decisions.decide(state, command):
            state = key_ceremony.evolve(state, event)
    assert state is not None
    return state


def accepted_by(*members: MemberId) -> tuple[ceremony_commands.Accept, ...]:
    return tuple(ceremony_commands.Accept(member, START, said(member)) for member in members)


ALL_ACCEPTED = accepted_by(*CUSTODIANS)
RUNNING = (*ALL_ACCEPTED, ceremony_commands.StartSession(FIRST, START))
SEALED = (*RUNNING, seal())


def transfer_proposal(
    body: bytes = b"intent", proposer: MemberId = ANA, policy_version: int = 1
) -> RequestProposed:
    return RequestProposed(
        request=REQUEST,
        wallet=WALLET,
        epoch=0,
        kind=KIND,
        chain=Chain.SOLANA,
        network=Network.DEVNET,
        path="",
        transaction=b"transaction",
        fee_ceiling=5_000,
        note="",
        policy_version=policy_version,
        proposer=proposer,
        proposed_at_ms=START,
        expires_at_ms=END,
        intent_digest=DIGEST,
        evidence=said(proposer, body),
    )


def approve(member: MemberId, at_ms: int = START) -> request_commands.Approve:
    return request_commands.Approve(
        member=member, intent_digest=DIGEST, at_ms=at_ms, evidence=said(member)
    )


def start(session: SessionId = FIRST, at_ms: int = START) -> request_commands.StartSession:
    return request_commands.StartSession(
        session=session, signers=(ANA, BEN), coordinator=ANA, at_ms=at_ms
    )


def fail(session: SessionId = FIRST, reason: str = "late") -> request_commands.FailSession:
    return request_commands.FailSession(
        session=session, reason=reason, unreachable=(BEN,), blamed=(), at_ms=START
    )


def signature(session: SessionId = FIRST) -> request_commands.RecordSignature:
    return request_commands.RecordSignature(
        session=session,
        signers=(ANA, BEN),
        signatures=(b"g" * 64,),
        signed_transaction=b"signed",
        transaction_id="transaction-id",
        at_ms=START,
        evidence=said(ANA),
    )


def request_after(
    *commands: request_commands.RequestCommand, policy: Policy = POLICY
) -> SigningRequest:
    """Fold what the commands decide, from the proposal on."""
    state: SigningRequest | None = None
    for command in (request_commands.Propose(transfer_proposal()), *commands):
        for event in request_decisions.decide(state, command, policy):
            state = signing_request.evolve(state, event, policy)
    assert state is not None
    return state


APPROVED = (approve(BEN), approve(CHIARA))


def sealed_event(session: SessionId = FIRST) -> CeremonyShareSealed:
    return CeremonyShareSealed(
        ceremony=CEREMONY,
        session=session,
        keys=KEYS,
        transcript=b"t" * 32,
        certificate_message=b"certificate",
        code="code",
        at_ms=START,
    )


def proposed_event() -> CeremonyProposed:
    return ceremony_after().proposal
