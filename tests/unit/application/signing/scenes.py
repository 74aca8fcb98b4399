"""How far a request has come, on a wallet whose keys a dealer knows."""

import secrets
from collections.abc import Sequence
from typing import Any

from solders.hash import Hash
from solders.keypair import Keypair

from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.application.peers.statements import (
    Approval,
    DrillResult,
    Invitation,
    SignatureResult,
    TransferProposal,
)
from console.application.ports.threshold import KeyMaterial
from console.application.sessions.protocol_session import SessionInfo
from console.application.signing.drills import drill_message
from console.domain.ids import MemberId, RequestId, SessionId
from console.domain.signing_request import SigningRequest
from console.domain.values import Chain
from tests.adversary.keys import dealt
from tests.adversary.network import Network
from tests.fakes.solana_messages import build_transfer
from tests.unit.application.ceremonies.scenes import certified, info, wallet_of
from tests.unit.application.desk import HOUR_MS, Desk
from tests.unit.domain.facts import (
    ANA,
    BEN,
    CHIARA,
    CUSTODIANS,
    FIRST,
    KIND,
    REQUEST,
    WALLET,
)

FRIEND = str(Keypair.from_seed(bytes(32)).pubkey())
RECENT = str(Hash.default())
PAIR = (ANA, BEN)
OTHER_REQUEST = RequestId("rq-00000000000000dd")
INDEX = {member: at for at, member in enumerate(CUSTODIANS, 1)}


def group_signature(message: bytes, path: str = "m", signers: Sequence[int] = (1, 2)) -> bytes:
    """Sign as the custodians with these indices would, by the real protocol."""
    scheme, shares = EddsaEd25519(), dealt(2, 3)

    def party(index: int) -> Any:
        held = KeyMaterial(shares[index])
        return lambda p: scheme.sign(p, held, path, message, secrets.token_bytes)

    network = Network({index: party(index) for index in signers}).deliver()
    return network.outcomes[signers[0]]


def payment(desk: Desk, lamports: int = 5) -> bytes:
    (account,) = desk.chains[Chain.SOLANA].accounts
    key = desk.transactions.keys(wallet_of(desk)).public_key(KIND, account.path)
    return build_transfer(key, FRIEND, lamports, "", RECENT)


def transfer(desk: Desk, **changes: object) -> TransferProposal:
    (account,) = desk.chains[Chain.SOLANA].accounts
    facts: dict[str, object] = {
        "at_ms": desk.now_ms,
        "request": REQUEST,
        "wallet": WALLET,
        "epoch": wallet_of(desk).epoch,
        "kind": KIND.value,
        "chain": "solana",
        "network": "devnet",
        "path": account.path,
        "transaction": payment(desk),
        "fee_ceiling": 10_000,
        "note": "",
        "policy_version": wallet_of(desk).policy.version,
        "nonce": bytes(16),
        "expires_at_ms": desk.now_ms + HOUR_MS,
    }
    return TransferProposal(**(facts | changes))  # type: ignore[arg-type]


def request_of(desk: Desk, request: RequestId = REQUEST) -> SigningRequest:
    return desk.aggregates.request(request)


def approval(desk: Desk, request: RequestId = REQUEST, **changes: object) -> Approval:
    digest = request_of(desk, request).proposal.intent_digest
    facts: dict[str, object] = {"at_ms": desk.now_ms, "request": request, "intent_digest": digest}
    return Approval(**(facts | changes))  # type: ignore[arg-type]


async def proposed(desk: Desk | None = None) -> Desk:
    desk = desk or await certified()
    await desk.hear(ANA, transfer(desk))
    desk.steps.clear()
    return desk


async def approved(desk: Desk | None = None) -> Desk:
    desk = await proposed(desk)
    for member in (BEN, CHIARA):
        await desk.hear(member, approval(desk))
    desk.steps.clear()
    return desk


def sign_info(
    session: SessionId = FIRST,
    subject: str = REQUEST,
    participants: tuple[MemberId, ...] = PAIR,
    coordinator: MemberId = ANA,
) -> SessionInfo:
    return info(session, subject, participants, coordinator, "signing")


async def signing(desk: Desk | None = None) -> Desk:
    """Ana takes part in a session with Ben; her share is open."""
    desk = await approved(desk)
    await desk.signing.open(sign_info())
    desk.steps.clear()
    return desk


def signatures(desk: Desk, request: RequestId = REQUEST) -> tuple[bytes, ...]:
    payloads = desk.transactions.payloads(request_of(desk, request).proposal)
    return tuple(group_signature(p.message, p.path) for p in payloads)


def result(desk: Desk, **changes: object) -> SignatureResult:
    facts: dict[str, object] = {
        "at_ms": desk.now_ms,
        "request": REQUEST,
        "session": FIRST,
        "signers": PAIR,
        "signatures": signatures(desk),
    }
    return SignatureResult(**(facts | changes))  # type: ignore[arg-type]


def invited(
    subject: str = REQUEST,
    participants: tuple[MemberId, ...] = PAIR,
    purpose: str = "signing",
) -> Invitation:
    return Invitation(
        at_ms=1,
        purpose=purpose,
        subject=subject,
        terms=bytes(32),
        participants=participants,
        nonce=bytes(32),
        deadline_ms=2,
    )


def drilled(
    desk: Desk,
    signers: tuple[MemberId, ...] = PAIR,
    session: SessionId = FIRST,
    **changes: object,
) -> DrillResult:
    """Give the result of a drill that the signers really held."""
    epoch = wallet_of(desk).epoch
    message = drill_message(KIND, WALLET, epoch, session, signers)
    facts: dict[str, object] = {
        "at_ms": desk.now_ms,
        "wallet": WALLET,
        "epoch": epoch,
        "session": session,
        "signers": signers,
        "signatures": (group_signature(message),),
    }
    return DrillResult(**(facts | changes))  # type: ignore[arg-type]
