"""Addresses: the text that stands for an output script on one network."""

from console.adapters.chains.bitcoin import bech32
from console.adapters.chains.bitcoin.script import (
    ScriptKind,
    can_be_spent,
    kind_of,
    p2pkh,
    p2sh,
    witness_program,
    witness_script,
)
from console.application.errors import InvalidAddress
from console.domain.values import Network
from console.protocols.derivation import base58check
from console.protocols.derivation.base58check import BadBase58

PREFIXES = {Network.MAINNET: "bc", Network.TESTNET: "tb", Network.DEVNET: "bcrt"}
"""Human-readable parts (BIP 173); a devnet is what Bitcoin Core calls regtest."""
_P2PKH = {Network.MAINNET: b"\x00", Network.TESTNET: b"\x6f", Network.DEVNET: b"\x6f"}
_P2SH = {Network.MAINNET: b"\x05", Network.TESTNET: b"\xc4", Network.DEVNET: b"\xc4"}
_SEGWIT_STARTS = tuple(f"{prefix}1" for prefix in PREFIXES.values())


def script_of(address: str, network: Network) -> bytes:
    """Return the output script to pay to. Raises: InvalidAddress.

    Witness versions above 1 are refused: they are not specified, so anybody could spend them. So
    are Taproot keys that are not on the curve: nobody can.
    """
    if address.lower().startswith(_SEGWIT_STARTS):
        version, program = bech32.decode_program(PREFIXES[network], address)
        script = witness_script(version, program)
        if kind_of(script) is ScriptKind.FUTURE:
            raise InvalidAddress("the address is of a kind that nobody can protect yet")
        if not can_be_spent(script):
            raise InvalidAddress("nobody can ever spend from this address: its key does not exist")
        return script
    payload = _payload(address)
    if len(payload) == 21 and payload[:1] == _P2PKH[network]:
        return p2pkh(payload[1:])
    if len(payload) == 21 and payload[:1] == _P2SH[network]:
        return p2sh(payload[1:])
    raise InvalidAddress("the address is of another network or kind")


def address_of(script: bytes, network: Network) -> str | None:
    """Return the address of a script; None if it has none."""
    match kind_of(script):
        case ScriptKind.P2PKH:
            return base58check.encode(_P2PKH[network] + script[3:23])
        case ScriptKind.P2SH:
            return base58check.encode(_P2SH[network] + script[2:22])
        case ScriptKind.DATA | ScriptKind.UNKNOWN:
            return None
        case _:
            program = witness_program(script)
            return None if program is None else bech32.encode_program(PREFIXES[network], *program)


def canonical(address: str, network: Network) -> str:
    """Return the address as it is always written. Raises: InvalidAddress."""
    # A script that was made from an address has one.
    return address_of(script_of(address, network), network) or ""


def _payload(address: str) -> bytes:
    try:
        return base58check.decode(address)
    except BadBase58 as bad:
        raise InvalidAddress(f"the address is mistyped: {bad}") from None
