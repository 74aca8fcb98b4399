"""What the parts of a vault need of its session, whatever holds the keys."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from hsm.keys import KeyRecord, RecordedKeys

_T = TypeVar("_T")


class VaultSession(Protocol):
    """One thread that may use the keys. All methods but `call` block and run inside `call`."""

    @property
    def unlocked(self) -> bool: ...

    async def call(self, step: str, operation: Callable[[], _T]) -> _T:
        """Run `operation`; `step` says in messages what it was for. Raises: HsmError."""
        ...

    def keys(self) -> RecordedKeys:
        """Return the checked keys. Raises: VaultLocked."""
        ...

    def public_record(self) -> KeyRecord:
        """Read the key record, locked or not. Raises: TokenMissing, KeyCheckFailed."""
        ...
