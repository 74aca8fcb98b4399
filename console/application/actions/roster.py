"""What an operator does about the roster: sign a decision, after comparing its code."""

from console.application.commands import Outcome, SignDecision
from console.application.node import Node
from console.domain.errors import Conflict
from console.domain.ids import MemberId


class RosterActions:
    """Executes the commands of the members page."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def sign_decision(self, command: SignDecision) -> Outcome:
        """Sign exactly the decision on the screen, as the first or as one more."""
        try:
            decisions = self._node.core.decisions
            decision = decisions.drafted(
                frozenset(map(MemberId, command.retires)),
                frozenset(map(MemberId, command.electors)),
            )
            if decision.digest.hex() != command.digest:
                raise Conflict("the members changed since this was shown; look again")
            decisions.judge(decision)
            await self._node.ports.vault.verify_pin(command.pin)
            await decisions.sign(decision, self._node.ports.clock.now_ms())
        finally:
            command.pin.wipe()
        return Outcome(command.digest, "Signed")
