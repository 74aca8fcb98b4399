"""What is ChillDKG's alone: its hashes, pads, proofs and messages (BIP draft; docs/spec 1.4).

The product runs another protocol around the same sharing. This is just enough of ChillDKG to let
its vectors reach the steps that both have; parties are numbered from 0 here, as in the draft.
"""

from dataclasses import dataclass
from typing import Any, Self

from coincurve import PrivateKey

from console.protocols.kernel.secret import SecretBytes
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.polynomial import Polynomial
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.math.tagged_hash import tagged_hash

unhex = bytes.fromhex


def hashed(tag: str, data: bytes) -> bytes:
    return tagged_hash("BIP DKG/" + tag, data)


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def pieces(data: bytes, size: int) -> list[bytes]:
    assert len(data) % size == 0
    return [data[at : at + size] for at in range(0, len(data), size)]


def total(scalars: list[bytes]) -> Scalar:
    value = SECP256K1.scalar(0)
    for scalar in scalars:
        value = SECP256K1.add_scalars(value, SECP256K1.parse_scalar(scalar))
    return value


@dataclass(frozen=True)
class Params:
    """Threshold and host keys; `context` is what every hash of a session sees of them."""

    t: int
    hosts: tuple[bytes, ...]

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        return cls(row["t"], tuple(unhex(key) for key in row["hostpubkeys"]))

    @property
    def n(self) -> int:
        return len(self.hosts)

    @property
    def context(self) -> bytes:
        return number(self.t) + b"".join(self.hosts)


@dataclass(frozen=True)
class First:
    """A participant's first message: commitment, proof, nonce, and a padded share for each."""

    points: list[bytes]
    pop: bytes
    nonce: bytes
    padded: list[bytes]

    @classmethod
    def read(cls, data: bytes, params: Params) -> Self:
        size = 33 * params.t
        assert len(data) == size + 64 + 33 + 32 * params.n
        rest = data[size:]
        return cls(pieces(data[:size], 33), rest[:64], rest[64:97], pieces(rest[97:], 32))

    def write(self) -> bytes:
        return b"".join((*self.points, self.pop, self.nonce, *self.padded))


@dataclass(frozen=True)
class Broadcast:
    """The coordinator's first message: constants, the sum of all other coefficients, and so on."""

    constants: list[bytes]
    others: list[bytes]
    pops: list[bytes]
    nonces: list[bytes]
    padded: list[bytes]

    @classmethod
    def read(cls, data: bytes, params: Params) -> Self:
        n, t = params.n, params.t
        sizes = (33 * n, 33 * (t - 1), 64 * n, 33 * n, 32 * n)
        assert len(data) == sum(sizes)
        cut = []
        for size, each in zip(sizes, (33, 33, 64, 33, 32), strict=True):
            cut.append(pieces(data[:size], each))
            data = data[size:]
        return cls(*cut)

    def write(self) -> bytes:
        parts = (self.constants, self.others, self.pops, self.nonces, self.padded)
        return b"".join(b"".join(part) for part in parts)

    @property
    def sum(self) -> tuple[Point, ...]:
        """The sum of all commitments; 33 zero bytes stand for the identity, here as with us."""
        return (SECP256K1.sum(map(Point, self.constants)), *map(Point, self.others))


def equality_input(params: Params, heard: Broadcast) -> bytes:
    """What all participants sign at the end."""
    parts = (*heard.sum, *params.hosts, *heard.nonces, *heard.padded)
    return number(params.t) + b"".join(parts)


def certificate_message(index: int, agreed: bytes) -> bytes:
    return b"BIP DKG/certeq message".ljust(33, b"\0") + number(index) + agreed


class Dealer:
    """A participant's secrets in the first round; `index` is from 0."""

    def __init__(self, host: bytes, random: bytes, params: Params) -> None:
        self.host = host
        self.params = params
        self.index = params.hosts.index(SECP256K1.base(SECP256K1.parse_nonzero_scalar(host)))
        self.seed = hashed("encpedpop seed", host + random + params.context)
        self.secret_nonce = hashed("encpedpop secnonce", self.seed)
        self.nonce = SECP256K1.base(SECP256K1.parse_nonzero_scalar(self.secret_nonce))
        self.coefficients = [hashed("vss coeffs", self.seed + number(k)) for k in range(params.t)]
        self.polynomial = Polynomial(SECP256K1, [SecretBytes(c) for c in self.coefficients])

    def first(self) -> First:
        padded: list[bytes] = []
        for j in range(self.params.n):
            if j == self.index:
                pad = self_pad(self.host, self.nonce, j, self.params)
            else:
                shared = PrivateKey(self.secret_nonce).ecdh(self.params.hosts[j])
                pad = _pad(shared, self.nonce, j, self.params)
            with self.polynomial.evaluate(j + 1) as share:
                padded.append(SECP256K1.add_scalars(SECP256K1.parse_scalar(share), pad))
        aux = hashed("simplpedpop aux", self.seed)
        pop = sign("BIP DKG/pop message", self.coefficients[0], number(self.index), aux)
        return First([*self.polynomial.commitments()], pop, self.nonce, padded)


def pads_of(host: bytes, index: int, nonces: list[bytes], params: Params) -> list[Scalar]:
    """What the shares for one participant are padded with, by sender."""
    return [
        self_pad(host, nonce, j, params)
        if j == index
        else _pad(PrivateKey(host).ecdh(nonce), nonce, index, params)
        for j, nonce in enumerate(nonces)
    ]


def self_pad(host: bytes, nonce: bytes, index: int, params: Params) -> Scalar:
    return _reduced(hashed("encaps_multi self_pad", host + nonce + number(index) + params.context))


def _pad(shared: bytes, nonce: bytes, receiver: int, params: Params) -> Scalar:
    data = shared + nonce + params.hosts[receiver] + number(receiver) + params.context
    return _reduced(hashed("encpedpop ecdh", data))


def _reduced(digest: bytes) -> Scalar:
    return SECP256K1.scalar(int.from_bytes(digest, "big"))


def sign(tag: str, secret: bytes, message: bytes, aux: bytes) -> bytes:
    """Sign as BIP 340 does, under other tags: so ChillDKG proves to know a constant term."""
    group = SECP256K1
    key = group.base(group.parse_nonzero_scalar(secret))
    d = int.from_bytes(secret, "big")
    d = d if group.has_even_y(key) else N - d
    mask = int.from_bytes(tagged_hash(f"{tag}/aux", aux), "big")
    start = (d ^ mask).to_bytes(32, "big")
    k = int.from_bytes(tagged_hash(f"{tag}/nonce", start + key[1:] + message), "big") % N
    nonce = group.base(group.scalar(k))
    k = k if group.has_even_y(nonce) else N - k
    e = int.from_bytes(tagged_hash(f"{tag}/challenge", nonce[1:] + key[1:] + message), "big")
    return nonce[1:] + group.scalar(k + e * d)


def proven(constant: Point, index: int, pop: bytes) -> bool:
    """Verify the proof of possession of participant `index`."""
    group = SECP256K1
    try:
        nonce, z = group.lift_x(pop[:32]), group.parse_scalar(pop[32:])
    except BadEncoding:
        return False
    key = group.lift_x(constant[1:])
    e = int.from_bytes(hashed("pop message/challenge", nonce[1:] + key[1:] + number(index)), "big")
    return group.base(z) == group.add(nonce, group.multiply_public(e, key))
