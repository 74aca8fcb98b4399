"""Policy for ECDSA signatures beside consensus, so that no third party can change a witness."""

from bitcoin.core import CTransaction

from console.devnet.bitcoin.index import Coin
from console.devnet.bitcoin.policy import PolicyRefused, kind_of

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_HASH_TYPES = frozenset({0x01, 0x02, 0x03, 0x81, 0x82, 0x83})


def check_signatures(transaction: CTransaction, spent: tuple[Coin, ...]) -> None:
    """Refuse high S values, unknown hash types and long keys where key hashes are spent.

    The scripts must have been verified: consensus requires strict DER (BIP 66), which is only
    decoded here. Raises: TransactionRefused.
    """
    for index, coin in enumerate(spent):
        if kind_of(bytes(coin.output.scriptPubKey)) != "v0_p2wpkh":
            continue
        signature, key = transaction.wit.vtxinwit[index].scriptWitness.stack
        if len(key) != 33:
            raise _failed("Using non-compressed keys in segwit")
        if signature[-1] not in _HASH_TYPES:
            raise _failed("Signature hash type missing or not understood")
        if _s_of(signature) > _HALF_ORDER:
            raise _failed("Non-canonical signature: S value is unnecessarily high")


def _s_of(signature: bytes) -> int:
    """Return S of 30 len 02 len(R) R 02 len(S) S, before the hash type."""
    start = 6 + signature[3]
    return int.from_bytes(signature[start:-1], "big")


def _failed(reason: str) -> PolicyRefused:
    return PolicyRefused(f"mandatory-script-verify-flag-failed ({reason})")
