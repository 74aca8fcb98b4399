"""A call that is tried on the newest block and not sent, and what nodes foresee of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trial:
    """The call; `to` is None where it creates a contract, `gas` is its limit if it has one."""

    sender: bytes
    to: bytes | None
    value: int
    data: bytes
    gas: int | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """An ERC-20 Transfer event: `amount` base units of a contract's token."""

    contract: bytes
    source: bytes
    target: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What a node foresees; `reason` is what it says of a failure."""

    fails: bool
    reason: str = ""
    moved: tuple[Moved, ...] = ()
