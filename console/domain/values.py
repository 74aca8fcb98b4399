"""Values that several aggregates share: quorum, signature kinds, amounts, expiry."""

from dataclasses import dataclass
from enum import StrEnum

from console.domain.errors import InvalidAmount, InvalidQuorum
from console.domain.ids import MemberId

__all__ = [
    "MAX_CUSTODIANS",
    "MAX_LABEL",
    "MAX_REASON",
    "Amount",
    "Chain",
    "InvalidAmount",
    "Network",
    "Quorum",
    "SignatureKind",
    "parse_amount",
]

MAX_CUSTODIANS = 32
MAX_LABEL = 64
MAX_REASON = 280


class SignatureKind(StrEnum):
    """The only thing that a chain and a protocol share."""

    ECDSA_SECP256K1 = "ecdsa-secp256k1"
    SCHNORR_BIP340 = "schnorr-bip340"
    EDDSA_ED25519 = "eddsa-ed25519"
    BLS12381_G2 = "bls12381-g2"


class Chain(StrEnum):
    """A chain that an adapter serves."""

    SOLANA = "solana"


class Network(StrEnum):
    """Which instance of a chain; the window always shows it."""

    DEVNET = "devnet"
    TESTNET = "testnet"
    MAINNET = "mainnet"


@dataclass(frozen=True, slots=True)
class Quorum:
    """`threshold` of `custodians` must take part; custodians are in the order of their share index.

    Raises: InvalidQuorum.
    """

    threshold: int
    custodians: tuple[MemberId, ...]

    def __post_init__(self) -> None:
        """Refuse quorums that protect nothing or cannot be reached."""
        if len(set(self.custodians)) != len(self.custodians):
            raise InvalidQuorum("a custodian is listed twice")
        if len(self.custodians) > MAX_CUSTODIANS:
            raise InvalidQuorum(f"at most {MAX_CUSTODIANS} custodians can hold one wallet")
        if not 2 <= self.threshold <= len(self.custodians):
            raise InvalidQuorum("the threshold must be at least 2 and at most the custodians")

    def index_of(self, member: MemberId) -> int:
        """Return the share index of a custodian, from 1. Raises: InvalidQuorum."""
        try:
            return self.custodians.index(member) + 1
        except ValueError:
            raise InvalidQuorum(f"{member} holds no share of this wallet") from None

    def member_at(self, index: int) -> MemberId:
        """Return the custodian with this share index, from 1. Raises: InvalidQuorum."""
        if not 1 <= index <= len(self.custodians):
            raise InvalidQuorum(f"no custodian has share index {index}")
        return self.custodians[index - 1]


@dataclass(frozen=True, slots=True)
class Amount:
    """A whole number of a chain's smallest unit, never a float.

    `unit` is the name of the large unit (SOL), `decimals` how many digits it has. Raises:
    InvalidAmount.
    """

    base_units: int
    unit: str
    decimals: int

    def __post_init__(self) -> None:
        """Refuse negative amounts and impossible scales."""
        if self.base_units < 0 or self.base_units >= 1 << 256 or not 0 <= self.decimals <= 36:
            raise InvalidAmount("an amount is a whole number from 0 to 2^256 - 1")

    def text(self) -> str:
        """Write the amount with all its digits, grouped by thin spaces, without the unit."""
        whole, part = divmod(self.base_units, 10**self.decimals)
        grouped = f"{whole:,}".replace(",", "\u2009")
        if not self.decimals:
            return grouped
        digits = str(part).rjust(self.decimals, "0")
        groups = "\u2009".join(digits[i : i + 3] for i in range(0, len(digits), 3))
        return f"{grouped}.{groups}"


def parse_amount(text: str, unit: str, decimals: int) -> Amount:
    """Read a decimal amount exactly; spaces group digits, '.' separates. Raises: InvalidAmount."""
    cleaned = "".join(text.split())
    whole, point, part = cleaned.partition(".")
    if len(cleaned) > 100 or not whole.isascii() or not whole.isdigit():
        raise InvalidAmount("write the amount as digits, with a point before the decimals")
    if point and not (part.isascii() and part.isdigit()):
        raise InvalidAmount("write the amount as digits, with a point before the decimals")
    if len(part) > decimals:
        raise InvalidAmount(f"{unit} has at most {decimals} decimals")
    return Amount(int(whole) * 10**decimals + int(part.ljust(decimals, "0") or "0"), unit, decimals)
