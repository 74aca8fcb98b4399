"""A request in a sentence: where it stands, what is proven of its signature, what to do next.

A second payment is offered only where the chain can execute one of the two alone.
"""

from dataclasses import dataclass

from console.application.errors import UnknownTransaction
from console.application.ports.chain import MESSAGE_ID
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.application.views import RequestStage
from console.domain.errors import NotYetPossible
from console.domain.ids import MemberId
from console.domain.policy import may_approve
from console.domain.request_doubt import Doubt, doubt
from console.domain.signing_request import UNSIGNED, RequestState, SigningRequest

STALLED_MS = 120_000
"""After this time without a session it is said who begins one."""
_UNSIGNED = UNSIGNED | {RequestState.DENIED, RequestState.WITHDRAWN}
_KNOWN = {
    Doubt.NONE: "Nothing was signed: each signature needs this member's share, and it gave none.",
    Doubt.UNAPPROVED: (
        "Nothing was signed, as far as is known here: its approvals were not complete."
    ),
    Doubt.POSSIBLE: (
        "A signature may exist: the approvals were complete, and the others can sign without this "
        "member, which gave no share."
    ),
    Doubt.GIVEN: (
        "A signature may exist: this member gave its share, and the others can have finished "
        "without it."
    ),
}
_REPLACED = "The chain confirmed another request in its place: it can no longer be executed."
_USED_UP = (
    "The chain no longer executes it, for what it needs is used or over. It may have been executed "
    "before: look at the account's history before you make it again."
)
_HELD = (
    "Its coins or nonce stay held until they are used. Make it again with the same ones, or cancel "
    "it on the chain: only one of the two can be executed. A request with others could pay twice."
)
_EXPIRES = (
    "The chain lets it expire by itself. Until then it may be executed: look at the account's "
    "history before you make it again."
)
_NEXT = (
    "It cannot be replaced. The account's next request uses the same nonce, so only one of the two "
    "can be executed."
)
_FREE = "It holds no coins and no nonce: propose it again."


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What this node knows of a request beside its ledger.

    `trouble` is why it could not begin to sign it. `used_up`: the chain no longer executes it.
    `asks_chain`: it follows it. `silence` is why the chain tells nothing of it, or refuses it
    again; `silent_since_ms` is since when its node does not answer.
    """

    trouble: str = ""
    used_up: bool = False
    silence: str = ""
    silent_since_ms: int | None = None
    asks_chain: bool = False


def may_be_signed(request: SigningRequest, me: MemberId) -> bool:
    """Return whether a signature may exist that is not on record here."""
    return request.state in _UNSIGNED and doubt(request, me).may_be_signed


@dataclass(frozen=True, slots=True)
class Sentences:
    """Tells of requests what one member knows."""

    me: MemberId
    transactions: Transactions
    reservations: Reservations
    names: dict[MemberId, str]
    now_ms: int

    def of(
        self,
        request: SigningRequest,
        stage: RequestStage,
        known: NodeFacts,
        *,
        outdated: bool = False,
    ) -> str:
        """Return where a request stands; `outdated`: its wallet has other shares by now."""
        if outdated:
            return (
                "The wallet's shares were changed before it was signed here, so nobody signs it "
                f"any more. {self._signature(request, known)}{self._free(request)}"
            )
        match stage:
            case RequestStage.AWAITING_APPROVAL:
                return self._awaiting(request)
            case RequestStage.APPROVED:
                return self._waiting_to_sign(request, known.trouble)
            case RequestStage.SIGNING:
                return "The custodians' nodes are signing."
            case RequestStage.SIGNED:
                return f"Signed and recorded. Waiting to be broadcast.{self._silence(known)}"
            case RequestStage.BROADCAST:
                return f"Broadcast. Waiting for the chain to confirm.{self._silence(known)}"
            case RequestStage.REFUSED:
                why = request.refused.reason if request.refused else ""
                return (
                    f"Signed, but the chain's node refuses it: {why}. The funds have not moved. It "
                    "is broadcast again, and the signature stays valid: speed it up or cancel it. "
                    f"A second request for the same could pay twice.{self._silence(known)}"
                )
            case RequestStage.CONFIRMED:
                signed = request.signed
                if signed is not None and signed.transaction_id.startswith(MESSAGE_ID):
                    return "Signed. A message is not broadcast."
                block = request.confirmed.block if request.confirmed else 0
                return f"Confirmed in block {block}.{self._silence(known)}"
            case RequestStage.DENIED:
                return self._denied(request, known)
            case RequestStage.WITHDRAWN:
                return f"Withdrawn by its proposer. {self._signature(request, known)}"
            case RequestStage.EXPIRED:
                told = self._signature(request, known)
                return f"Expired before it was signed here. {told}{self._free(request)}"
            case RequestStage.FAILED:
                return f"Failed: {request.failed.reason if request.failed else ''}"

    def _silence(self, known: NodeFacts) -> str:
        """Return that the chain's node does not answer, and since when; "" if it does."""
        if not known.silence:
            return ""
        if known.silent_since_ms is None:
            return f" The chain's word: {known.silence}."
        minutes = max(self.now_ms - known.silent_since_ms, 0) // 60_000
        since = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
        return (
            f" The chain's node has not answered for {since}: {known.silence}. It is asked again "
            "by itself, also after a long absence."
        )

    def _signature(self, request: SigningRequest, known: NodeFacts) -> str:
        """Return what is known of the signature of one that ended without, and what to do."""
        told = _KNOWN[doubt(request, self.me)]
        if not may_be_signed(request, self.me):
            return told
        if self.reservations.successor(request) is not None:
            return f"{told} {_REPLACED}"
        if known.used_up:
            return f"{told} {_USED_UP}"
        if self.reservations.held_in_doubt(request):
            return f"{told} {_HELD}"
        return f"{told} {self._without_replacement(request)}".strip()

    def _without_replacement(self, request: SigningRequest) -> str:
        """Return what becomes of one that nothing can take the place of; "" of a message."""
        proposal = request.proposal
        try:
            adapter = self.transactions.chain(proposal.chain)
            consumes = adapter.consumes(proposal.transaction)
        except (NotYetPossible, UnknownTransaction):
            return ""
        if not consumes:
            return ""
        return _EXPIRES if adapter.lets_expire else _NEXT

    def _free(self, request: SigningRequest) -> str:
        """Return that it can be proposed again, where nothing speaks against it."""
        return "" if may_be_signed(request, self.me) else f" {_FREE}"

    def _denied(self, request: SigningRequest, known: NodeFacts) -> str:
        denial, proposer = request.denial, request.proposal.proposer
        if denial is None:
            name = self.names.get(proposer, proposer)
            return (
                f"{name} signed two different requests under one id. Both are kept in the ledger "
                f"as proof. {self._signature(request, known)}"
            )
        told = f"{self.names.get(denial.member, '')} denied: {denial.reason}"
        if not may_be_signed(request, self.me):
            return told
        return f"{told.rstrip('.')}. {self._signature(request, known)}"

    def _awaiting(self, request: SigningRequest) -> str:
        left = request.policy.approvals_needed - len(request.approvals)
        done = {a.member for a in request.approvals}
        able = [
            self.names.get(m, m)
            for m in request.policy.quorum.custodians
            if m not in done and not may_approve(request.policy, m, request.proposal.proposer)
        ]
        needed = "1 more approval is needed" if left == 1 else f"{left} more approvals are needed"
        joint = " or " if left < len(able) else " and "
        return f"{needed}, from {joint.join(able)}."

    def _waiting_to_sign(self, request: SigningRequest, trouble: str) -> str:
        """Return what keeps an approved request from being signed."""
        failed = request.attempts[-1].failure if request.attempts else ""
        if trouble:
            return f"Approved. Signing has not begun: {trouble}. It is tried again by itself."
        if failed:
            return f"Approved. Trying again: {failed}."
        approved_ms = max((a.at_ms for a in request.approvals), default=0)
        if self.now_ms < approved_ms + STALLED_MS:
            return "Approved. Signing starts."
        name = self.names.get(request.proposal.proposer, request.proposal.proposer)
        return (
            f"Approved {(self.now_ms - approved_ms) // 60_000} min ago, and no signing is known "
            f"here yet: {name}'s node begins it, and the other custodians' nodes after it."
        )
