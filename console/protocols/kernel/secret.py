"""One fixed-size holder for secret bytes that can be wiped and cannot be copied by accident.

CPython cannot promise erasure: arguments to the C backends are short-lived `bytes`. This class
keeps the long-lived copy in one place, out of logs, pickles and comparisons that leak.
"""

import hmac
from dataclasses import fields, is_dataclass
from types import TracebackType
from typing import NoReturn, Self


class SecretWiped(Exception):
    """A secret was used after it had been erased."""


class SecretCopied(TypeError):
    """Something tried to duplicate or serialise a secret."""


class SecretBytes:  # noqa: PLW1641  a secret is not hashable: equality is all it has
    """Owns a secret of fixed size until `wipe`.

    Copies `data`; a `bytearray` source is zeroed, so that one copy is left.
    """

    __slots__ = ("_data", "_wiped")

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = bytearray(data)
        self._wiped = False
        if isinstance(data, bytearray):
            data[:] = bytes(len(data))

    @classmethod
    def zeros(cls, size: int) -> Self:
        """Reserve `size` bytes, to be filled through `view`."""
        return cls(bytes(size))

    @property
    def wiped(self) -> bool:
        return self._wiped

    def view(self) -> memoryview:
        """Return a writable window on the secret, without a copy; it reads zeros after `wipe`.

        Raises: SecretWiped.
        """
        if self._wiped:
            raise SecretWiped("the secret has been wiped")
        return memoryview(self._data)

    def reveal(self) -> memoryview:
        """Return what `view` does; the name to search for where a secret leaves our code."""
        return self.view()

    def wipe(self) -> None:
        """Overwrite with zeros. Harmless when repeated.

        Who copies in another thread asks `wiped` afterwards: it is set before the first zero.
        """
        self._wiped = True
        self._data[:] = bytes(len(self._data))

    def __enter__(self) -> memoryview:
        return self.view()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wipe()

    def __len__(self) -> int:
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretBytes):
            return NotImplemented
        return hmac.compare_digest(self.view(), other.view())

    def __repr__(self) -> str:
        return f"<SecretBytes {len(self._data)} bytes>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __copy__(self) -> NoReturn:
        raise SecretCopied("a secret is not copied")

    def __deepcopy__(self, memo: dict[int, object]) -> NoReturn:
        raise SecretCopied("a secret is not copied")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise SecretCopied("a secret is not pickled")


def wipe_all(value: object) -> None:
    """Wipe every secret held by `value`, looking into dataclasses and sequences."""
    if isinstance(value, SecretBytes):
        value.wipe()
    elif isinstance(value, list | tuple):
        for item in value:
            wipe_all(item)
    elif is_dataclass(value):
        for field in fields(value):
            wipe_all(getattr(value, field.name))
