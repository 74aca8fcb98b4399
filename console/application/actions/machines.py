"""Commands about machines that are here already: where they are reached, and their TLS keys."""

from console.application.commands import (
    ChangeAddress,
    ChangeLinkKey,
    FinishLinkKey,
    Outcome,
    SetPeerAddress,
)
from console.application.node import Node
from console.domain.ids import MemberId


class MachineActions:
    """Carries out the commands of the machines page and of `quorate machine`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def change_address(self, command: ChangeAddress) -> Outcome:
        """Sign this machine's new address."""
        core = self._node.core
        core.exchange.require_clock()
        await core.machines.addresses.move(command.address.strip(), self._now_ms())
        return Outcome(self._node.me, "Told: the others reach this machine at the new address")

    async def set_peer_address(self, command: SetPeerAddress) -> Outcome:
        """Reach a peer elsewhere, from this node alone."""
        address = command.address.strip()
        await self._node.core.machines.addresses.set_here(
            MemberId(command.member), address, self._now_ms()
        )
        done = "This node uses it" if address else "This node uses the member\u2019s own address"
        return Outcome(command.member, done)

    async def change_key(self, _command: ChangeLinkKey) -> Outcome:
        """Begin to change this machine's TLS key."""
        self._node.core.exchange.require_clock()
        await self._node.core.machines.link_keys.rotate()
        return Outcome(self._node.me, "The new TLS key is told to the others")

    async def finish_key(self, _command: FinishLinkKey) -> Outcome:
        """Go over to the new TLS key now."""
        self._node.core.exchange.require_clock()
        await self._node.core.machines.link_keys.finish()
        return Outcome(self._node.me, "This machine shows its new TLS key")

    def _now_ms(self) -> int:
        return self._node.ports.clock.now_ms()
