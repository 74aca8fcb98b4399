"""Values that several aggregates share: signature kinds, chains, quorum, amounts."""

from dataclasses import dataclass
from enum import StrEnum

from console.domain.errors import InvalidAmount, InvalidQuorum
from console.domain.ids import MemberId

__all__ = [
    "MAX_CUSTODIANS",
    "MAX_LABEL",
    "MAX_REASON",
    "Amount",
    "CeremonyPurpose",
    "Chain",
    "InvalidAmount",
    "Network",
    "Quorum",
    "SignatureKind",
    "parse_amount",
]

MAX_CUSTODIANS = 32
MAX_SHARE_INDEX = 0xFFFF
MAX_LABEL = 64
MAX_REASON = 280


class SignatureKind(StrEnum):
    """The only thing that a chain and a protocol share."""

    ECDSA_SECP256K1 = "ecdsa-secp256k1"
    SCHNORR_BIP340 = "schnorr-bip340"
    EDDSA_ED25519 = "eddsa-ed25519"
    BLS12381_G2 = "bls12381-g2"

    @property
    def label(self) -> str:
        """Short display name."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    SignatureKind.ECDSA_SECP256K1: "ECDSA",
    SignatureKind.SCHNORR_BIP340: "Schnorr",
    SignatureKind.EDDSA_ED25519: "EdDSA",
    SignatureKind.BLS12381_G2: "BLS",
}


class CeremonyPurpose(StrEnum):
    """What a ceremony does to the shares of a wallet's keys."""

    GENERATE = "generate"
    """Generate the keys."""
    REFRESH = "refresh"
    """New shares for the same custodians; old and new shares cannot be combined."""
    REPAIR = "repair"
    """Restore the share of a custodian whose machine was lost, then refresh."""
    RESHARE = "reshare"
    """New shares for other custodians, or for another threshold."""


class Chain(StrEnum):
    """A chain that an adapter serves."""

    SOLANA = "solana"
    ETHEREUM = "ethereum"
    BITCOIN = "bitcoin"


class Network(StrEnum):
    """Which instance of a chain; the window always shows it."""

    DEVNET = "devnet"
    TESTNET = "testnet"
    MAINNET = "mainnet"


@dataclass(frozen=True, slots=True)
class Quorum:
    """`threshold` of `custodians` must take part.

    `indices` are the custodians' share indices, ascending; () stands for 1, 2, 3 and so on. Only
    a reshare leaves gaps: remaining custodians keep their index. Raises: InvalidQuorum.
    """

    threshold: int
    custodians: tuple[MemberId, ...]
    indices: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check that the quorum can be reached and that no member can sign alone."""
        if len(set(self.custodians)) != len(self.custodians):
            raise InvalidQuorum("a custodian is listed twice")
        if len(self.custodians) > MAX_CUSTODIANS:
            raise InvalidQuorum(f"at most {MAX_CUSTODIANS} custodians can hold one wallet")
        if not 2 <= self.threshold <= len(self.custodians):
            raise InvalidQuorum("the threshold must be at least 2 and at most the custodians")
        if self.indices:
            ascending = sorted(set(self.indices)) == list(self.indices)
            if len(self.indices) != len(self.custodians) or not ascending:
                raise InvalidQuorum("the share indices do not fit the custodians")
            if not 1 <= self.indices[0] <= self.indices[-1] <= MAX_SHARE_INDEX:
                raise InvalidQuorum("a share index is out of range")

    @property
    def shares(self) -> tuple[tuple[int, MemberId], ...]:
        """The custodians with their share indices, ascending."""
        indices = self.indices or tuple(range(1, len(self.custodians) + 1))
        return tuple(zip(indices, self.custodians, strict=True))

    def index_of(self, member: MemberId) -> int:
        """Return the share index of a custodian, from 1. Raises: InvalidQuorum."""
        for index, custodian in self.shares:
            if custodian == member:
                return index
        raise InvalidQuorum(f"{member} holds no share of this wallet")

    def resharing(self, threshold: int, custodians: tuple[MemberId, ...]) -> "Quorum":
        """Return the quorum after a reshare: remaining custodians keep their index.

        New custodians get indices above all old ones, since an old owner may still deal.
        Raises: InvalidQuorum.
        """
        held = {member: index for index, member in self.shares}
        fresh = max(held.values()) + 1
        indices: dict[int, MemberId] = {}
        for member in custodians:
            if member in held:
                indices[held[member]] = member
            else:
                indices[fresh] = member
                fresh += 1
        if len(indices) != len(custodians):
            raise InvalidQuorum("a custodian is listed twice")
        ordered = sorted(indices)
        return Quorum(threshold, tuple(indices[i] for i in ordered), tuple(ordered))


@dataclass(frozen=True, slots=True)
class Amount:
    """A whole number of a chain's smallest unit, never a float.

    `unit` is the name of the large unit (SOL), `decimals` its number of decimal places.
    Raises: InvalidAmount.
    """

    base_units: int
    unit: str
    decimals: int

    def __post_init__(self) -> None:
        """Refuse negative amounts and impossible scales."""
        if self.base_units < 0 or self.base_units >= 1 << 256 or not 0 <= self.decimals <= 36:
            raise InvalidAmount("an amount is a whole number from 0 to 2^256 - 1")

    def text(self) -> str:
        """Return the amount with all its digits, grouped by thin spaces, without the unit."""
        whole, part = divmod(self.base_units, 10**self.decimals)
        grouped = f"{whole:,}".replace(",", "\u2009")
        if not self.decimals:
            return grouped
        digits = str(part).rjust(self.decimals, "0")
        groups = "\u2009".join(digits[i : i + 3] for i in range(0, len(digits), 3))
        return f"{grouped}.{groups}"


def parse_amount(text: str, unit: str, decimals: int) -> Amount:
    """Return an exact decimal amount; spaces group digits, '.' separates. Raises: InvalidAmount."""
    cleaned = "".join(text.split())
    whole, point, part = cleaned.partition(".")
    if len(cleaned) > 100 or not whole.isascii() or not whole.isdigit():
        raise InvalidAmount("write the amount as digits, with a point before the decimals")
    if point and not (part.isascii() and part.isdigit()):
        raise InvalidAmount("write the amount as digits, with a point before the decimals")
    if len(part) > decimals:
        raise InvalidAmount(f"{unit} has at most {decimals} decimals")
    return Amount(int(whole) * 10**decimals + int(part.ljust(decimals, "0") or "0"), unit, decimals)
