"""Shapes: tables of an instruction's accounts and of the values in its data.

Programs tolerate trailing bytes and further accounts. This decoder does not: an instruction that
does not fit its shape exactly is not understood.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from solders.pubkey import Pubkey

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.message import Call

MAX_SEED_BYTES = 32
"""The longest seed of a derived address."""

Value = int | str | Pubkey | None

FIXED: Final = {
    "Clock": programs.CLOCK,
    "Recent blockhashes": programs.RECENT_BLOCKHASHES,
    "Rent": programs.RENT,
    "Stake history": programs.STAKE_HISTORY,
    "Stake config": programs.STAKE_CONFIG,
    "System program": programs.SYSTEM,
}
"""Accounts that are fixed by their label: checked, and not shown."""


class NotUnderstood(Exception):
    """The instruction has no known shape. `name` is the name of its tag."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.name = name


class Kind(Enum):
    """Encodings of values in an instruction's data; integers are little-endian."""

    U8 = "<B"
    U32 = "<I"
    U64 = "<Q"
    I64 = "<q"
    KEY = "32 bytes"
    SEED = "text behind its length in 8 bytes"
    OPTIONAL_KEY = "0, or 1 and 32 bytes"


@dataclass(frozen=True, slots=True)
class Shape:
    """One instruction: its accounts and values in order, with the labels that people see.

    `danger` is its red flag, if it has one. The accounts named in `own` must be the wallet.
    """

    name: str
    accounts: tuple[str, ...] = ()
    data: tuple[tuple[str, Kind], ...] = ()
    danger: str = ""
    own: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """An instruction that fits its shape: accounts and values by label."""

    call: Call
    shape: Shape
    accounts: Mapping[str, Pubkey]
    values: Mapping[str, Value]

    def number(self, label: str) -> int:
        """Return an integer that the shape has."""
        value = self.values[label]
        if not isinstance(value, int):
            raise TypeError(label)
        return value

    def key(self, label: str) -> Pubkey:
        """Return an account, or a key of the data, that the shape has."""
        value = self.accounts[label] if label in self.accounts else self.values[label]
        if not isinstance(value, Pubkey):
            raise TypeError(label)
        return value

    def text(self, label: str) -> str:
        """Return a text that the shape has."""
        value = self.values[label]
        if not isinstance(value, str):
            raise TypeError(label)
        return value


def read(call: Call, shape: Shape, data: bytes) -> Reading:
    """Return the reading of `data`, the bytes after the instruction's tag.

    Raises: NotUnderstood.
    """
    if not call.complete or len(call.accounts) != len(shape.accounts):
        raise NotUnderstood(shape.name)
    accounts = dict(zip(shape.accounts, call.accounts, strict=True))
    if any(accounts[label] != FIXED[label] for label in accounts.keys() & FIXED.keys()):
        raise NotUnderstood(shape.name)
    values: dict[str, Value] = {}
    for label, kind in shape.data:
        try:
            values[label], data = _value(kind, data)
        except (struct.error, ValueError):
            raise NotUnderstood(shape.name) from None
    if data:
        raise NotUnderstood(shape.name)
    return Reading(call, shape, accounts, values)


def read_tagged(
    call: Call, shapes: Mapping[int, Shape], tag: Kind, names: Mapping[int, str]
) -> Reading:
    """Return the reading of an instruction by its tag; `names` has more tags than `shapes`.

    Raises: NotUnderstood.
    """
    width = struct.calcsize(tag.value)
    if len(call.data) < width:
        raise NotUnderstood
    number = int.from_bytes(call.data[:width], "little")
    shape = shapes.get(number)
    if shape is None:
        raise NotUnderstood(names.get(number, ""))
    return read(call, shape, call.data[width:])


def _value(kind: Kind, data: bytes) -> tuple[Value, bytes]:
    """Return one value and the bytes after it. Raises: struct.error, ValueError."""
    match kind:
        case Kind.KEY:
            return Pubkey(data[:32]), data[32:]
        case Kind.OPTIONAL_KEY if data[:1] == b"\0":
            return None, data[1:]
        case Kind.OPTIONAL_KEY if data[:1] == b"\1":
            return Pubkey(data[1:33]), data[33:]
        case Kind.OPTIONAL_KEY:
            raise ValueError
        case Kind.SEED:
            (length,) = struct.unpack_from("<Q", data)
            if length > MAX_SEED_BYTES or len(data) < 8 + length:
                raise ValueError
            return data[8 : 8 + length].decode(), data[8 + length :]
        case _:
            width = struct.calcsize(kind.value)
            (number,) = struct.unpack_from(kind.value, data)
            return int(number), data[width:]
