"""The two accounts that a wallet has on Bitcoin, and the keys and scripts at their places."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from console.adapters.chains.bitcoin.psbt_fields import In, Out
from console.adapters.chains.bitcoin.psbt_map import Fields, field
from console.adapters.chains.bitcoin.script import p2tr, p2wpkh
from console.adapters.chains.bitcoin.wire import hash160
from console.application.ports.chain import Account, PublicKeys
from console.domain.errors import NotYetPossible
from console.domain.values import SignatureKind

SEGWIT = Account(
    kind=SignatureKind.ECDSA_SECP256K1, path="m/84/0/0", label="Bitcoin SegWit", key_use="Bitcoin"
)
"""BIP 84's account without hardened steps, which cannot be derived from shares."""
TAPROOT = Account(kind=SignatureKind.SCHNORR_BIP340, path="m/86/0/0", label="Bitcoin Taproot")
"""BIP 86's account without hardened steps."""
ACCOUNTS = (SEGWIT, TAPROOT)
RECEIVE, CHANGE = 0, 1
MAX_INDEX = 9_999
"""The highest index of an own address: a restored wallet does not scan further."""


@dataclass(frozen=True, slots=True)
class KeyPosition:
    """A key of an account: chain 0 receives, 1 takes change; the index counts from 0."""

    chain: int
    index: int


def base_path(account: Account, place: KeyPosition) -> str:
    """Return the path of the key before any Taproot tweak."""
    return f"{account.path}/{place.chain}/{place.index}"


def signing_path(account: Account, place: KeyPosition) -> str:
    """Return the path of the key that signatures verify under (Taproot: of the output key)."""
    path = base_path(account, place)
    return f"tr({path})" if account.kind is SignatureKind.SCHNORR_BIP340 else path


def signing_key(account: Account, keys: PublicKeys, place: KeyPosition) -> bytes:
    """Return 33 bytes for ECDSA, 32 for Taproot. Raises: NotYetPossible."""
    return keys.public_key(account.kind, signing_path(account, place))


def script_at(account: Account, keys: PublicKeys, place: KeyPosition) -> bytes:
    """Return the output script of a place. Raises: NotYetPossible."""
    lock: Callable[[bytes], bytes] = p2tr if _is_taproot(account) else p2wpkh
    return lock(signing_key(account, keys, place))


def input_origin(account: Account, keys: PublicKeys, place: KeyPosition) -> Fields:
    """Return an input's fields that name the key to sign with. Raises: NotYetPossible."""
    key = keys.public_key(account.kind, base_path(account, place))
    origin = key_origin(account, keys, place)
    if _is_taproot(account):
        return (
            field(In.TAP_INTERNAL_KEY, key),
            field(In.TAP_BIP32_DERIVATION, b"\0" + origin, key),
        )
    return (field(In.BIP32_DERIVATION, origin, key),)


def output_origin(account: Account, keys: PublicKeys, place: KeyPosition) -> Fields:
    """Return an output's fields that claim it for a place. Raises: NotYetPossible."""
    key = keys.public_key(account.kind, base_path(account, place))
    origin = key_origin(account, keys, place)
    if _is_taproot(account):
        return (
            field(Out.TAP_INTERNAL_KEY, key),
            field(Out.TAP_BIP32_DERIVATION, b"\0" + origin, key),
        )
    return (field(Out.BIP32_DERIVATION, origin, key),)


def key_origin(account: Account, keys: PublicKeys, place: KeyPosition) -> bytes:
    """Return the master key's fingerprint and the path, 4 bytes each step (BIP 174)."""
    steps = (*account_steps(account), place.chain, place.index)
    path = b"".join(step.to_bytes(4, "little") for step in steps)
    return fingerprint(account, keys) + path


def fingerprint(account: Account, keys: PublicKeys) -> bytes:
    """Return the first 4 bytes of HASH160 of the master key (BIP 32). Raises: NotYetPossible."""
    return hash160(keys.master_key(account.kind)[0])[:4]


def fingerprints(keys: PublicKeys) -> frozenset[bytes]:
    """Return the fingerprints of all the wallet's master keys."""
    found: set[bytes] = set()
    for account in ACCOUNTS:
        with contextlib.suppress(NotYetPossible):
            found.add(fingerprint(account, keys))
    return frozenset(found)


def account_steps(account: Account) -> tuple[int, ...]:
    """Return the account's path as numbers."""
    return tuple(int(step) for step in account.path.split("/")[1:])


def _is_taproot(account: Account) -> bool:
    return account.kind is SignatureKind.SCHNORR_BIP340
