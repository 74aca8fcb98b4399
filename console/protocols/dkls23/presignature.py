"""A presignature: all of a signature that does not depend on the message (docs/spec 3.7, 8).

It answers once. Two answers with one presignature reveal the key, so its secrets are erased
before the answer exists, and encoding it for storage moves it: what was encoded is erased. The
store must record, durably, that it is consumed before the answer leaves, and must never return a
copy from a backup. The key, and with it the tweak, is fixed when it is made: choosing the tweak
later would let an attacker search for a forgery among many presignatures. Storing one is library
only until the product has presignatures.
"""

from dataclasses import dataclass

from console.protocols.dkls23.messages import MAX_SIGNERS
from console.protocols.kernel.secret import SecretBytes
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1

_MAGIC = b"QDS1"
_HEAD = 12
_PUBLIC = 32 + 32 + 33 + 33
_SECRET = 3 * 32


class PresignatureUsed(Exception):
    """A presignature was asked for a second answer, which would reveal the key."""


class BadPresignature(Exception):
    """A stored presignature is malformed. Never quotes it."""


@dataclass(frozen=True, slots=True, eq=False)
class Presignature:
    """Our part of one presignature, made by exactly `parties`.

    `id` and `setup_id` have 32 bytes: one names it at all parties, the other the epoch it belongs
    to. `key` is the tweaked key, `point` is R. `mask`, `denominator` and `product` are phi_i, u_i
    and v_i.
    """

    id: bytes
    me: int
    parties: tuple[int, ...]
    setup_id: bytes
    key: Point
    point: Point
    mask: SecretBytes
    denominator: SecretBytes
    product: SecretBytes

    @property
    def used(self) -> bool:
        return self.mask.wiped

    def consume(self) -> tuple[Scalar, Scalar, Scalar]:
        """Return phi_i, u_i, v_i and erase them. Raises: PresignatureUsed."""
        if self.used:
            raise PresignatureUsed("this presignature has been used")
        with self.mask as mask, self.denominator as denominator, self.product as product:
            phi_i, u_i, v_i = (Scalar(bytes(view)) for view in (mask, denominator, product))
        return phi_i, u_i, v_i

    def wipe(self) -> None:
        """Erase an unused presignature; it counts as used."""
        for secret in (self.mask, self.denominator, self.product):
            secret.wipe()


def encode_presignature(presignature: Presignature) -> SecretBytes:
    """Encode into one buffer for sealing, and erase the original. Raises: PresignatureUsed."""
    if presignature.used:
        raise PresignatureUsed("this presignature has been used")
    parties = presignature.parties
    head = b"".join(
        (
            _MAGIC,
            presignature.me.to_bytes(4, "big"),
            len(parties).to_bytes(4, "big"),
            *(party.to_bytes(4, "big") for party in parties),
            presignature.id,
            presignature.setup_id,
            presignature.key,
            presignature.point,
        )
    )
    encoded = SecretBytes.zeros(len(head) + _SECRET)
    view = encoded.view()
    view[: len(head)] = head
    with presignature.mask as a, presignature.denominator as b, presignature.product as c:
        view[-96:-64], view[-64:-32], view[-32:] = a, b, c
    return encoded


def decode_presignature(encoded: SecretBytes | memoryview) -> Presignature:
    """Decode strictly; the caller still owns, and wipes, `encoded`. Raises: BadPresignature."""
    view = encoded.view() if isinstance(encoded, SecretBytes) else encoded
    if len(view) < _HEAD or view[:4] != _MAGIC:
        raise BadPresignature("this is not a presignature")
    me, count = int.from_bytes(view[4:8], "big"), int.from_bytes(view[8:12], "big")
    if not 2 <= count <= MAX_SIGNERS or len(view) != _HEAD + 4 * count + _PUBLIC + _SECRET:
        raise BadPresignature("the presignature has the wrong size")
    end = _HEAD + 4 * count
    parties = tuple(int.from_bytes(view[at : at + 4], "big") for at in range(_HEAD, end, 4))
    rest = view[end:]
    if sorted({*parties}) != [*parties] or not 1 <= parties[0] <= parties[-1] <= 0xFFFF:
        raise BadPresignature("the parties are repeated, unsorted or out of range")
    if me not in parties:
        raise BadPresignature("it belongs to none of its parties")
    try:
        key, point = SECP256K1.parse_point(rest[64:97]), SECP256K1.parse_point(rest[97:130])
        for at in (130, 162, 194):
            SECP256K1.parse_nonzero_scalar(rest[at : at + 32])
    except BadEncoding:
        raise BadPresignature("a point or scalar is not valid") from None
    mask, denominator, product = (
        SecretBytes(bytearray(rest[at : at + 32])) for at in (130, 162, 194)
    )
    return Presignature(
        bytes(rest[:32]),
        me,
        parties,
        bytes(rest[32:64]),
        key,
        point,
        mask,
        denominator,
        product,
    )
