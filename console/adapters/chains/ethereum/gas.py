"""The gas that a transaction needs before any code runs, and the most that it may have."""

from console.adapters.chains.ethereum.transaction import Transaction

MOST_GAS = 1 << 24
"""No transaction may have a higher limit (EIP-7825)."""
_BASE = 21_000
_CREATION = 32_000
_CODE_WORD = 2
_TOKEN, _FLOOR_TOKEN = 4, 10
_TOKENS_PER_BYTE = 4
_ADDRESS, _STORAGE_KEY = 2_400, 1_900
_AUTHORIZATION = 25_000


def least_gas(transaction: Transaction) -> int:
    """Return the limit below which nodes refuse a transaction.

    A base, the data (EIP-2028, and EIP-7623's floor), the code of a new contract (EIP-2, EIP-3860),
    the access list (EIP-2930) and the authorisations (EIP-7702).
    """
    data = transaction.data
    zeros = data.count(0)
    tokens = zeros + (len(data) - zeros) * _TOKENS_PER_BYTE
    gas = _BASE + tokens * _TOKEN
    if transaction.to is None:
        gas += _CREATION + (len(data) + 31) // 32 * _CODE_WORD
    gas += sum(_ADDRESS + _STORAGE_KEY * len(entry.keys) for entry in transaction.access_list)
    gas += _AUTHORIZATION * len(transaction.authorizations)
    return max(gas, _BASE + tokens * _FLOOR_TOKEN)


def gas_flags(transaction: Transaction) -> tuple[str, ...]:
    """Return a warning of a limit with which the transaction can never be executed."""
    least = least_gas(transaction)
    if transaction.gas_limit < least:
        return (f"The gas limit is below the {least} that this needs: it cannot be executed",)
    if transaction.gas_limit > MOST_GAS:
        return (f"The gas limit is above {MOST_GAS}: it cannot be executed",)
    return ()
