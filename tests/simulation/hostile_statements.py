"""Statements of every kind with well-formed but hostile content, for a seed."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from console.adapters.network.grpc_peers import tls_name
from console.application.peers.statements import AnyStatement, Statement
from console.domain.ids import MemberId
from tests.fakes.clock import START_MS
from tests.integration.network.certificates import certificate, extensions, name, odd_signers

KINDS: tuple[type[Statement], ...] = get_args(AnyStatement)

_NUMBERS = (0, 1, 2, 3, 255, START_MS, START_MS + 60_000, START_MS + 10**9, 2**31, 2**63 - 1)


def hostile_certificates() -> list[bytes]:
    """Return certificates with odd keys, names and forms, and text that is none."""
    key, eve = ec.generate_private_key(ec.SECP256R1()), tls_name(MemberId("eve"))
    good = certificate(key, name(eve), extensions(eve))
    odd = [certificate(k, name(eve), extensions(eve)) for k in odd_signers().values()]
    return [*odd, good, good + good, good + b"-----BEGIN", good[:-40], b"\x00", b"-----BEGIN"]


class Hostile:
    """Fills the fields of a statement; `known` are values that exist, by field or kind.field."""

    def __init__(
        self, seed: int, known: Mapping[str, Sequence[Any]], certificates: Sequence[bytes]
    ) -> None:
        self._chance = random.Random(seed)  # noqa: S311
        self._known = known
        self._certificates = certificates

    def statement(self, kind: type[Statement]) -> Statement:
        """Return a statement of a kind that every strict decoder accepts."""
        info = msgspec.inspect.type_info(kind)
        assert isinstance(info, msgspec.inspect.StructType)
        tag = str(kind.__struct_config__.tag)
        values = {f.name: self._field(tag, f.name, f.type) for f in info.fields}
        # What is malformed is refused at once: what is sought is what gets further.
        made = kind(**values)
        return msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=kind)

    def _field(self, tag: str, field: str, form: msgspec.inspect.Type) -> Any:
        if field == "certificate":
            return self._chance.choice(self._certificates)
        known = self._known.get(f"{tag}.{field}") or self._known.get(field)
        if known and self._chance.random() < 0.85:
            return self._chance.choice(known)
        return self._value(form)

    def _value(self, form: msgspec.inspect.Type) -> Any:
        makers: dict[type, Callable[[Any], Any]] = {
            msgspec.inspect.IntType: self._number,
            msgspec.inspect.BoolType: lambda _form: self._chance.random() < 0.5,
            msgspec.inspect.StrType: self._text,
            msgspec.inspect.BytesType: self._bytes,
            msgspec.inspect.VarTupleType: self._tuple,
            msgspec.inspect.StructType: self._struct,
        }
        return makers[type(form)](form)

    def _number(self, form: msgspec.inspect.IntType) -> int:
        signed = [sign * number for number in _NUMBERS for sign in (1, -1)]
        low = -(2**63) if form.ge is None else form.ge
        high = 2**63 if form.lt is None else form.lt
        high = high if form.le is None else form.le + 1
        return self._chance.choice([n for n in signed if low <= n < high])

    def _text(self, form: msgspec.inspect.StrType) -> str:
        hexadecimal = f"{self._chance.getrandbits(256):064x}"
        patterns = {"kc-": 16, "wl-": 16, "rq-": 16}
        for prefix, digits in patterns.items():
            if form.pattern and prefix in form.pattern:
                return prefix + hexadecimal[:digits]
        if form.pattern and "{64}" in form.pattern:
            return hexadecimal
        if form.pattern:
            return self._chance.choice(["eve", "ben", "mallory"])
        plain = ["", "x", "ana", "eve", "refresh", "repair", "a b", "\u0430na", "%s{0}"]
        return self._chance.choice([text for text in plain if len(text) >= (form.min_length or 0)])

    def _bytes(self, form: msgspec.inspect.BytesType) -> bytes:
        low = form.min_length or 0
        high = min(form.max_length or 256, 1024)
        return self._chance.randbytes(self._chance.choice([low, high, min(high, low + 32)]))

    def _tuple(self, form: msgspec.inspect.VarTupleType) -> tuple[Any, ...]:
        low, high = form.min_length or 0, min(form.max_length or 4, 4)
        return tuple(self._value(form.item_type) for _ in range(self._chance.randint(low, high)))

    def _struct(self, form: msgspec.inspect.StructType) -> Any:
        return form.cls(**{f.name: self._value(f.type) for f in form.fields})
