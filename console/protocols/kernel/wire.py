"""Strict, canonical, length-limited encoding of protocol messages, derived from their types.

A message is a frozen dataclass whose field types carry their bounds, for example
`Annotated[bytes, Size(32)]`. There is one encoding per value; everything else is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, get_args, get_origin, get_type_hints

from console.protocols.kernel.secret import SecretBytes


class MalformedMessage(Exception):
    """Bytes are not the canonical encoding of the expected message. Never quotes the bytes."""


class Message(Protocol):
    """A frozen dataclass registered with `message`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


M = TypeVar("M", bound=Message)
C = TypeVar("C", bound=type)


class Delivery(Enum):
    """How a kind travels. Fixed per kind: a broadcast sent to one peer would escape the echo."""

    BROADCAST = "broadcast"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Size:
    """Bounds of a byte string, in bytes; one number means exactly that many."""

    minimum: int
    maximum: int = -1

    def __post_init__(self) -> None:
        if self.maximum == -1:
            object.__setattr__(self, "maximum", self.minimum)


@dataclass(frozen=True, slots=True)
class Count:
    """Bounds of the number of items of a tuple."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Range:
    """Inclusive bounds of an integer, within 0..2**32-1."""

    minimum: int
    maximum: int


PartyIndex = Annotated[int, Range(1, 0xFFFF)]


class _Reader:
    """Cuts a buffer into exact pieces."""

    __slots__ = ("_view",)

    def __init__(self, data: bytes) -> None:
        self._view = memoryview(data)

    def take(self, size: int) -> memoryview:
        if size > len(self._view):
            raise MalformedMessage("the message is cut short")
        piece, self._view = self._view[:size], self._view[size:]
        return piece

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def finish(self) -> None:
        if len(self._view) != 0:
            raise MalformedMessage("bytes follow the message")


class _Codec(Protocol):
    @property
    def maximum(self) -> int: ...
    def write(self, value: Any, out: list[bytes | memoryview]) -> None: ...
    def read(self, reader: _Reader) -> Any: ...


@dataclass(frozen=True, slots=True)
class BytesCodec:
    """A byte string, or a secret, of a bounded length."""

    size: Size
    secret: bool

    @property
    def maximum(self) -> int:
        return 4 + self.size.maximum

    def write(self, value: Any, out: list[bytes | memoryview]) -> None:
        if type(value) is not (SecretBytes if self.secret else bytes):
            raise MalformedMessage("a field has the wrong type")
        self._check(len(value))
        out.append(len(value).to_bytes(4, "big"))
        # The final join copies once: a secret never passes through a growing buffer.
        out.append(value.view() if isinstance(value, SecretBytes) else value)

    def read(self, reader: _Reader) -> bytes | SecretBytes:
        length = reader.number()
        self._check(length)
        piece = reader.take(length)
        return SecretBytes(bytearray(piece)) if self.secret else bytes(piece)

    def _check(self, length: int) -> None:
        if not self.size.minimum <= length <= self.size.maximum:
            raise MalformedMessage(f"a byte string of {length} bytes is out of bounds")


@dataclass(frozen=True, slots=True)
class NumberCodec:
    """A number within bounds."""

    bounds: Range

    @property
    def maximum(self) -> int:
        return 4

    def write(self, value: Any, out: list[bytes | memoryview]) -> None:
        if type(value) is not int:
            raise MalformedMessage("a field has the wrong type")
        self._check(value)
        out.append(value.to_bytes(4, "big"))

    def read(self, reader: _Reader) -> int:
        value = reader.number()
        self._check(value)
        return value

    def _check(self, value: int) -> None:
        if not self.bounds.minimum <= value <= self.bounds.maximum:
            raise MalformedMessage("a number is out of bounds")


@dataclass(frozen=True, slots=True)
class ItemsCodec:
    """A list of a bounded count."""

    item: _Codec
    count: Count

    @property
    def maximum(self) -> int:
        return 4 + self.count.maximum * self.item.maximum

    def write(self, value: Any, out: list[bytes | memoryview]) -> None:
        if not isinstance(value, tuple):
            raise MalformedMessage("a field has the wrong type")
        self._check(len(value))
        out.append(len(value).to_bytes(4, "big"))
        for item in value:
            self.item.write(item, out)

    def read(self, reader: _Reader) -> tuple[Any, ...]:
        count = reader.number()
        self._check(count)  # before anything is allocated for the items
        return tuple(self.item.read(reader) for _ in range(count))

    def _check(self, count: int) -> None:
        if not self.count.minimum <= count <= self.count.maximum:
            raise MalformedMessage("a list is out of bounds")


@dataclass(frozen=True, slots=True)
class _Record:
    type_: type
    codecs: tuple[tuple[str, _Codec], ...]

    @property
    def maximum(self) -> int:
        return sum(codec.maximum for _, codec in self.codecs)

    def write(self, value: Any, out: list[bytes | memoryview]) -> None:
        if type(value) is not self.type_:
            raise MalformedMessage("a field has the wrong type")
        for name, codec in self.codecs:
            codec.write(getattr(value, name), out)

    def read(self, reader: _Reader) -> Any:
        return self.type_(*[codec.read(reader) for _, codec in self.codecs])


def _codec(annotation: Any) -> _Codec:
    bound: Any = None
    if get_origin(annotation) is Annotated:
        annotation, bound = get_args(annotation)
    if annotation in {bytes, SecretBytes} and isinstance(bound, Size):
        return BytesCodec(bound, secret=annotation is SecretBytes)
    if annotation is int and isinstance(bound, Range):
        return NumberCodec(bound)
    if get_origin(annotation) is tuple and isinstance(bound, Count):
        return ItemsCodec(_codec(get_args(annotation)[0]), bound)
    if isinstance(annotation, type) and is_dataclass(annotation):
        return _record(annotation)
    raise TypeError(f"a message field needs a bounded type, not {annotation!r}")


def _record(cls: type) -> _Record:
    hints = get_type_hints(cls, include_extras=True)
    return _Record(cls, tuple((f.name, _codec(hints[f.name])) for f in fields(cls)))


@dataclass(frozen=True, slots=True)
class MessageType:
    """What is known about one registered kind; `maximum` is the largest encoding, in bytes."""

    kind: str
    delivery: Delivery
    record: _Record
    maximum: int


_BY_KIND: dict[str, MessageType] = {}
_BY_CLASS: dict[type, MessageType] = {}


def message(kind: str, delivery: Delivery = Delivery.BROADCAST) -> Callable[[C], C]:
    """Register a dataclass as the message `kind`: lower case, unique, at most 40 characters."""

    def register(cls: C) -> C:
        if kind in _BY_KIND or not 0 < len(kind) <= 40 or not kind.isascii():
            raise TypeError(f"the message kind {kind!r} is taken or not valid")
        record = _record(cls)
        _BY_KIND[kind] = _BY_CLASS[cls] = MessageType(kind, delivery, record, record.maximum)
        return cls

    return register


def message_type(key: str | type) -> MessageType:
    """Look up a registered kind by name or class. Raises: MalformedMessage."""
    found = _BY_KIND.get(key) if isinstance(key, str) else _BY_CLASS.get(key)
    if found is None:
        raise MalformedMessage("the message kind is unknown")
    return found


def registered_kinds() -> frozenset[str]:
    return frozenset(_BY_KIND)


def encode(value: Message) -> bytes:
    """Encode a registered message. Raises: MalformedMessage if a field is out of bounds."""
    out: list[bytes | memoryview] = []
    message_type(type(value)).record.write(value, out)
    return b"".join(out)


def decode(cls: type[M], data: bytes) -> M:
    """Decode exactly one message of `cls`. Raises: MalformedMessage."""
    value: M = _decode(message_type(cls), data)
    return value


def decode_kind(kind: str, data: bytes) -> Message:
    """Decode exactly one message of the registered `kind`. Raises: MalformedMessage."""
    value: Message = _decode(message_type(kind), data)
    return value


def _decode(known: MessageType, data: bytes) -> Any:
    if len(data) > known.maximum:
        raise MalformedMessage("the message is too long for its kind")
    reader = _Reader(data)
    value = known.record.read(reader)
    reader.finish()
    return value
