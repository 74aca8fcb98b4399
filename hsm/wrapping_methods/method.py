"""SealingKey: the keys in the token that seal 32 bytes by one method."""

from collections.abc import Callable
from typing import ClassVar, Protocol, Self

from pkcs11 import Mechanism, MechanismFlag
from pkcs11.types import Object, Session

KEY_SIZE = 32
"""What a method seals: the key of an envelope."""

Need = tuple[Mechanism, MechanismFlag, int]
"""A mechanism, what it must be able to do, and the key's size in bits."""


class SealingKey(Protocol):
    """Handles of one method's keys in a session. Blocking, in the token's thread.

    `code` stands in key records and sealed records, and never changes. `name` is for people.
    A method that is not `authentic` opens what others than the token have sealed.
    """

    code: ClassVar[int]
    name: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]]
    authentic: ClassVar[bool]

    @classmethod
    def make(cls, session: Session, identifier: Callable[[str], bytes], *, stored: bool) -> Self:
        """Generate the keys in the token, each with the CKA_ID that `identifier` returns."""
        ...

    @classmethod
    def load(cls, session: Session) -> Self:
        """Find the stored keys. Raises: KeyCheckFailed."""
        ...

    def objects(self) -> tuple[Object, ...]:
        """Return all objects of the keys."""
        ...

    def require_traits(self, *, stored: bool) -> None:
        """Check the keys' attributes. Raises: KeyCheckFailed."""
        ...

    def check_value(self) -> bytes:
        """Return 32 bytes that identify the keys, and tell nothing of them."""
        ...

    def seal(self, associated: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes:
        """Seal a secret, bound to `associated`. Raises: HsmError."""
        ...

    def open(self, associated: bytes, sealed: bytes) -> bytes | None:
        """Return what `seal` sealed; None if it is altered, or bound to something else."""
        ...
