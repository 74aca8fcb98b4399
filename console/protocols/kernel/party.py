"""The effects a protocol may have: send to all or to one peer, and collect answers."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from console.protocols.kernel.evidence import Told
from console.protocols.kernel.wire import Message

M = TypeVar("M", bound=Message)

Random = Callable[[int], bytes]
"""Returns that many fresh random bytes; `secrets.token_bytes` outside of tests."""


class Party(Protocol):
    """One party's view of a session; a protocol awaits nothing else."""

    @property
    def me(self) -> int:
        """Our index, at least 1."""

    @property
    def parties(self) -> tuple[int, ...]:
        """All indices, sorted, including ours."""

    @property
    def others(self) -> tuple[int, ...]:
        """All indices but ours, sorted."""

    @property
    def session_id(self) -> bytes:
        """32 bytes, never used before."""

    async def broadcast(self, message: Message) -> None:
        """Send the same to all others; the session proves later that all received the same."""

    async def send(self, to: int, message: Message) -> None:
        """Send to one peer, confidentially."""

    async def gather(self, kind: type[M]) -> dict[int, M]:
        """Wait for exactly one message of `kind` from each other party, in the current round."""

    def told(self, sender: int, kind: type[Message]) -> Told:
        """Return what `sender` told us alone in the current round, as it signed it."""

    def read(self, told: Told, recipient: int, sender: int, kind: type[M]) -> M:
        """Return what `sender` told `recipient` alone in the round before this one.

        Raises: NotTold if that party did not sign such a message.
        """
