"""Relay policy: the rules beside consensus that look at a single transaction.

Refusals are worded as in Bitcoin Core, because wallets read them.
"""

from bitcoin.core import CTransaction, CTxOut
from bitcoin.core.script import OP_RETURN, CScript
from bitcoin.core.serialize import SerializationError

from console.devnet.bitcoin.addresses import address_of

MAX_MONEY = 21_000_000 * 10**8
MAX_WEIGHT = 400_000
MIN_FEE_RATE = 1
"""Satoshis per virtual byte, for relay and for each byte of a replacement (BIP 125, rule 4)."""
DUST_RATE = 3
"""Satoshis per byte of an output and of the input that spends it."""
_VERSIONS = (1, 2, 3)
_MIN_SIZE = 65
_MAX_SCRIPT_SIG = 1650
_DECODE_FAILED, _REJECTED = -22, -26


class PolicyRefused(Exception):
    """A transaction was refused; `code` is that of Core's `sendrawtransaction`."""

    def __init__(self, reason: str, code: int = _REJECTED) -> None:
        super().__init__(reason)
        self.code = code


def decoded(raw: bytes) -> CTransaction:
    """Decode a transaction. Raises: TransactionRefused."""
    try:
        transaction = CTransaction.deserialize(raw)
    except (SerializationError, ValueError):
        transaction = None
    if transaction is None or transaction.serialize() != raw:
        raise PolicyRefused("TX decode failed", _DECODE_FAILED)
    return transaction


def weight(transaction: CTransaction) -> int:
    """Return the weight (BIP 141): bytes without witnesses count four times."""
    stripped = len(transaction.serialize(params={"include_witness": False}))
    return 3 * stripped + len(transaction.serialize())


def virtual_size(transaction: CTransaction) -> int:
    """Return a quarter of the weight, rounded up."""
    return -(-weight(transaction) // 4)


def check_sense(transaction: CTransaction) -> None:
    """Refuse a transaction that no block could hold. Raises: TransactionRefused."""
    outpoints = [(entry.prevout.hash, entry.prevout.n) for entry in transaction.vin]
    values = [output.nValue for output in transaction.vout]
    _refuse_if(not outpoints, "bad-txns-vin-empty")
    _refuse_if(not values, "bad-txns-vout-empty")
    _refuse_if(any(value < 0 for value in values), "bad-txns-vout-negative")
    _refuse_if(any(value > MAX_MONEY for value in values), "bad-txns-vout-toolarge")
    _refuse_if(sum(values) > MAX_MONEY, "bad-txns-txouttotal-toolarge")
    _refuse_if(len(set(outpoints)) < len(outpoints), "bad-txns-inputs-duplicate")
    _refuse_if(transaction.is_coinbase(), "coinbase")
    _refuse_if(any(entry.prevout.is_null() for entry in transaction.vin), "bad-txns-prevout-null")


def check_standard(transaction: CTransaction) -> None:
    """Refuse a transaction that nodes do not relay at any fee. Raises: TransactionRefused."""
    _refuse_if(transaction.nVersion not in _VERSIONS, "version")
    _refuse_if(weight(transaction) > MAX_WEIGHT, "tx-size")
    stripped = transaction.serialize(params={"include_witness": False})
    _refuse_if(len(stripped) < _MIN_SIZE, "tx-size-small")
    for entry in transaction.vin:
        _refuse_if(len(entry.scriptSig) > _MAX_SCRIPT_SIG, "scriptsig-size")
        _refuse_if(not entry.scriptSig.is_push_only(), "scriptsig-not-pushonly")
    kinds = [kind_of(bytes(output.scriptPubKey)) for output in transaction.vout]
    _refuse_if("unknown" in kinds, "scriptpubkey")
    dusty = any(output.nValue < dust_limit(output) for output in transaction.vout)
    _refuse_if(dusty, "dust")


def kind_of(script: bytes) -> str:
    """Return Esplora's name of an output script's form; "unknown" for one that is not relayed."""
    match script[0] if script else None:
        case 0x6A if CScript(script[1:]).is_push_only():
            return "op_return"
        case 0x76 if len(script) == 25 and script[1:3] + script[23:] == b"\xa9\x14\x88\xac":
            return "p2pkh"
        case 0xA9 if len(script) == 23 and script[1] == 20 and script[22] == 0x87:
            return "p2sh"
    if address_of(script) is None:
        return "unknown"
    if script[0] == 0:
        return "v0_p2wpkh" if len(script) == 22 else "v0_p2wsh"
    return "v1_p2tr" if script[0] == 0x51 and len(script) == 34 else "witness_unknown"


def dust_limit(output: CTxOut) -> int:
    """Return the smallest value that is worth the input which spends it."""
    script = bytes(output.scriptPubKey)
    if script[:1] == bytes([OP_RETURN]):
        return 0
    # Core's GetDustThreshold: an input is 148 bytes, 67 if a quarter of its proof counts.
    spending = 148 if address_of(script) is None else 67
    return DUST_RATE * (len(output.serialize()) + spending)


def _refuse_if(wrong: bool, reason: str) -> None:
    if wrong:
        raise PolicyRefused(reason)
