"""Fees per gas: quotes, caps, and what a replacement must pay."""

from dataclasses import dataclass

from console.adapters.chains.ethereum.transaction import Transaction
from console.application.errors import TransactionError
from console.application.ports.chain import FeeLevel

GWEI = 10**9
FEE_CAP = 500 * GWEI
"""The highest fee per gas that is ever offered or signed, whatever a node says."""
CHEAP_WEI = 2 * 10**16
"""A fee of up to 0.02 coins needs no comparison with what is sent."""
MOST_OF_AMOUNT = 10
"""A larger fee may be at most one part in this many of the coins sent: of none, nothing."""
MOST_WEI = 10**17
"""The highest fee that is ever signed, whatever is sent: 0.1 coins.

For a call it is the only bound, since its bytes do not tell what it is worth."""
_BASE_QUARTERS = {FeeLevel.ECONOMY: 5, FeeLevel.NORMAL: 8, FeeLevel.FAST: 12}
_TIP_HALVES = {FeeLevel.ECONOMY: 1, FeeLevel.NORMAL: 2, FeeLevel.FAST: 4}


@dataclass(frozen=True, slots=True)
class Fees:
    """The most that is paid per gas, and of it the tip, in wei (EIP-1559)."""

    max_fee: int
    max_tip: int

    def raised_over(self, old: Transaction) -> "Fees":
        """Return at least what nodes ask for in place of `old`: both a tenth higher, rounded up."""
        return Fees(max(self.max_fee, _tenth_more(old.max_fee)), self._tip_over(old))

    def _tip_over(self, old: Transaction) -> int:
        return max(self.max_tip, _tenth_more(old.max_tip))


def quote(base_fee: int, tip: int, level: FeeLevel) -> Fees:
    """Return a fee that lasts the base fee's growth over some blocks. Raises: TransactionError.

    An eighth more a block is the most that a base fee grows (EIP-1559): economy stands two full
    blocks, normal six, fast nine.
    """
    offered = max(tip * _TIP_HALVES[level] // 2, 1)
    fees = Fees(base_fee * _BASE_QUARTERS[level] // 4 + offered, offered)
    return capped(fees)


def capped(fees: Fees) -> Fees:
    """Return the fees if they are within the cap. Raises: TransactionError."""
    if fees.max_fee > FEE_CAP:
        raise TransactionError(f"the network's fees are above the limit of {FEE_CAP // GWEI} gwei")
    return fees


def fee_flags(transaction: Transaction) -> tuple[str, ...]:
    """Return warnings of fees that no honest quote reaches (case C109, docs/chains.md)."""
    ceiling = transaction.fee_ceiling
    flags = limit_flags(transaction.max_fee, ceiling)
    if transaction.blob_fee > FEE_CAP:
        flags += (f"The fee per blob gas is above the limit of {FEE_CAP // GWEI} gwei",)
    # With nothing sent, as in a cancellation, only a cheap fee is in proportion.
    if (
        not transaction.data
        and ceiling > CHEAP_WEI
        and ceiling > transaction.value // MOST_OF_AMOUNT
    ):
        flags += (f"The fee may reach more than a {MOST_OF_AMOUNT}th of what is sent",)
    return flags


def limit_flags(per_gas: int, ceiling: int) -> tuple[str, ...]:
    """Return warnings of a fee above the limits that hold for whatever is signed, in wei."""
    flags: tuple[str, ...] = ()
    if per_gas > FEE_CAP:
        flags += (f"The fee per gas is above the limit of {FEE_CAP // GWEI} gwei",)
    if ceiling > MOST_WEI:
        flags += ("The fee may reach more than 0.1 coins",)
    return flags


def outbids(old: Transaction, new: Transaction) -> bool:
    """Return whether both fees are a tenth higher, as nodes ask before they replace."""
    return new.max_fee >= _tenth_more(old.max_fee) and new.max_tip >= _tenth_more(old.max_tip)


def _tenth_more(fee: int) -> int:
    return fee + -(-fee // 10)
