"""The output scripts that are understood, and their dust limits."""

from enum import Enum

from coincurve import PublicKeyXOnly

from console.adapters.chains.bitcoin.transaction import TxOut
from console.adapters.chains.bitcoin.wire import Reader, hash160
from console.application.errors import UnknownTransaction

OP_RETURN = 0x6A
_OP_PUSHDATA1, _OP_PUSHDATA4, _OP_16 = 0x4C, 0x4E, 0x60
_OLD_DATA_SCRIPT = 83
"""Bytes of the one data output that nodes before Bitcoin Core 30 relay."""
MAX_DATA = 255
_MAX_SCRIPT = 10_000
_DUST_RATE = 3
"""Satoshis per virtual byte of Bitcoin Core's dust limit."""


class ScriptKind(Enum):
    """A form of output script, by its usual name."""

    P2PKH = "P2PKH"
    P2SH = "P2SH"
    P2WPKH = "P2WPKH"
    P2WSH = "P2WSH"
    P2TR = "P2TR"
    FUTURE = "witness program of a later version"
    DATA = "data"
    UNKNOWN = "unknown"


def p2pkh(key_hash: bytes) -> bytes:
    """Return the script that locks to the hash of a key, 20 bytes, as before SegWit."""
    return b"\x76\xa9\x14" + key_hash + b"\x88\xac"


def p2sh(script_hash: bytes) -> bytes:
    """Return the script that locks to the hash of a script, 20 bytes (BIP 16)."""
    return b"\xa9\x14" + script_hash + b"\x87"


def p2wpkh(key: bytes) -> bytes:
    """Return the script that locks to a key, 33 bytes, in SegWit (BIP 141)."""
    return witness_script(0, hash160(key))


def p2tr(output_key: bytes) -> bytes:
    """Return the script that locks to a Taproot output key, 32 bytes of x (BIP 341)."""
    return witness_script(1, output_key)


def witness_script(version: int, program: bytes) -> bytes:
    """Return the script of a witness program of version 0 to 16, 2 to 40 bytes (BIP 141)."""
    return bytes([version + 0x50 if version else 0, len(program)]) + program


def witness_program(script: bytes) -> tuple[int, bytes] | None:
    """Return version and program, None if the script is none (BIP 141)."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] and not 0x51 <= script[0] <= 0x60:
        return None
    return (script[0] - 0x50 if script[0] else 0), script[2:]


def kind_of(script: bytes) -> ScriptKind:
    """Return the form of a script."""
    program = witness_program(script)
    if program is not None:
        match program[0], len(program[1]):
            case 0, 20:
                return ScriptKind.P2WPKH
            case 0, 32:
                return ScriptKind.P2WSH
            case 0, _:
                return ScriptKind.UNKNOWN
            case 1, 32:
                return ScriptKind.P2TR
            case _:
                return ScriptKind.FUTURE
    if script == p2pkh(script[3:23]):
        return ScriptKind.P2PKH
    if script == p2sh(script[2:22]):
        return ScriptKind.P2SH
    return ScriptKind.DATA if carries_data(script) else ScriptKind.UNKNOWN


def can_be_spent(script: bytes) -> bool:
    """Return whether a signature for the script can exist at all.

    A Taproot output whose 32 bytes are no x of the curve is burnt: no key, and no tree of scripts,
    leads to it (BIP 341).
    """
    if kind_of(script) is not ScriptKind.P2TR:
        return True
    try:
        PublicKeyXOnly(script[2:])
    except ValueError:
        return False
    return True


def data_script(data: bytes) -> bytes:
    """Return an unspendable script that carries up to MAX_DATA bytes."""
    push = bytes([len(data)]) if len(data) < _OP_PUSHDATA1 else bytes([_OP_PUSHDATA1, len(data)])
    return bytes([OP_RETURN]) + push + data


def carries_data(script: bytes) -> bool:
    """Return whether a script is OP_RETURN and pushes only, which nodes relay (null data)."""
    if script[:1] != bytes([OP_RETURN]):
        return False
    reader = Reader(script[1:], "script")
    try:
        while reader.left:
            opcode = reader.number(1)
            if opcode > _OP_16:
                return False
            if opcode <= _OP_PUSHDATA4:
                size = opcode if opcode < _OP_PUSHDATA1 else 1 << opcode - _OP_PUSHDATA1
                reader.take(size if opcode < _OP_PUSHDATA1 else reader.number(size))
    except UnknownTransaction:
        return False
    return True


def relays_everywhere(scripts: tuple[bytes, ...]) -> bool:
    """Return whether all nodes relay the data outputs: one, of up to 80 bytes."""
    data = [script for script in scripts if carries_data(script)]
    return len(data) <= 1 and all(len(script) <= _OLD_DATA_SCRIPT for script in data)


def data_of(script: bytes) -> bytes | None:
    """Return the data of a script with one push in its shortest form, None for any other."""
    if script[:1] != bytes([OP_RETURN]) or len(script) == 1:
        return None
    data = script[3:] if script[1] == _OP_PUSHDATA1 else script[2:]
    # A longer push than needed would be other bytes for the same data.
    return data if len(data) <= MAX_DATA and data_script(data) == script else None


def dust_limit(script: bytes) -> int:
    """Return the least amount in satoshis that nodes relay for this script.

    Bitcoin Core's rule: three times the size of the output and of the input that spends it. 0 for
    a script that cannot be spent.
    """
    if script[:1] == bytes([OP_RETURN]) or len(script) > _MAX_SCRIPT:
        return 0
    spending = 32 + 4 + 1 + 107 + 4 if witness_program(script) is None else 32 + 4 + 1 + 26 + 4
    return _DUST_RATE * (len(TxOut(0, script).encode()) + spending)
