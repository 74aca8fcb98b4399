"""Decisions about the roster: signed here, recorded from everybody, and carried out at once.

Whoever has left is linked to no more, and nothing that it signs counts.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from console.application.aggregates import Aggregates
from console.application.peers.machines import certified_with
from console.application.peers.signed_statements import Verified
from console.application.peers.statements import (
    MAX_CERTIFIED_SESSIONS,
    AnyStatement,
    RosterDecision,
)
from console.application.ports.network import NetworkPort
from console.domain import roster
from console.domain.errors import Conflict
from console.domain.events import RosterDecisionSigned
from console.domain.ids import MemberId, SessionId
from console.domain.roster import Decision

FEWEST_ELECTORS = 3
"""Who decide from then on, at least, where as many belong to the vault."""

Publish = Callable[[AnyStatement], Coroutine[Any, Any, Verified]]
Stop = Callable[[frozenset[MemberId]], Coroutine[Any, Any, None]]


class RosterDecisions:
    """Signs and records decisions; cuts the links of those who have left."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        network: NetworkPort,
        publish: Publish,
        stop_with: Stop,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._network = network
        self._publish = publish
        self._stop_with = stop_with

    def drafted(self, retires: frozenset[MemberId], electors: frozenset[MemberId]) -> Decision:
        """Return the decision that would follow what is in force. Raises: Conflict."""
        standing = self._aggregates.standing
        return Decision(
            standing.number + 1, standing.digest, tuple(sorted(retires)), tuple(sorted(electors))
        )

    def judge(self, decision: Decision) -> None:
        """Check that this member may sign a decision, and that no wallet is lost by it.

        Raises: Conflict.
        """
        aggregates = self._aggregates
        standing = aggregates.standing
        if (decision.number, decision.prior) != (standing.number + 1, standing.digest):
            raise Conflict("another decision came first: look at the members again")
        if self._me in decision.retires:
            raise Conflict("the others decide that this member leaves")
        if self._me not in roster.deciding_on(standing, decision):
            raise Conflict("this member does not decide about the roster")
        strangers = ({*decision.retires, *decision.electors}) - set(aggregates.members)
        if strangers:
            raise Conflict(f"{', '.join(sorted(strangers))} does not belong to this vault")
        if not decision.retires and set(decision.electors) == standing.electors_at(standing.number):
            raise Conflict("this decision changes nothing")
        fewest = min(FEWEST_ELECTORS, len(set(aggregates.members) - set(decision.retires)))
        if len(decision.electors) < fewest:
            raise Conflict(f"at least {fewest} decide: of two, each could let the other leave")
        for wallet in aggregates.wallets.values():
            left = set(wallet.quorum.custodians) & set(aggregates.members) - set(decision.retires)
            if len(left) < wallet.quorum.threshold:
                raise Conflict(
                    f"{wallet.name} could not be signed for any more: reshare it first, without "
                    f"{', '.join(decision.retires)}"
                )

    async def sign(self, decision: Decision, at_ms: int) -> None:
        """Sign as this member. Raises: Conflict, DomainError."""
        self.judge(decision)
        sessions = {s for m in decision.retires for s in certified_with(self._aggregates, m)}
        await self._publish(
            RosterDecision(
                at_ms=at_ms,
                number=decision.number,
                prior=decision.prior,
                retires=decision.retires,
                electors=decision.electors,
                certified=tuple(sorted(sessions))[:MAX_CERTIFIED_SESSIONS],
            )
        )

    async def on_decision(self, verified: Verified) -> None:
        """Record that a member signed a decision. Raises: StatementRefused, DomainError."""
        s = verified.expect(RosterDecision)
        signed = RosterDecisionSigned(
            number=s.number,
            prior=s.prior,
            retires=tuple(MemberId(m) for m in s.retires),
            electors=tuple(MemberId(m) for m in s.electors),
            certified=tuple(SessionId(session) for session in s.certified),
            by=verified.signer,
            at_ms=s.at_ms,
            evidence=verified.evidence,
        )
        if await self._aggregates.record_roster(signed):
            await self.carry_out()

    async def carry_out(self) -> None:
        """Cut off whoever has left: links, and sessions under way."""
        left = frozenset(self._aggregates.former)
        if left:
            await self._stop_with(left)
        for member in left - {self._me}:
            await self._network.dismiss(member)
