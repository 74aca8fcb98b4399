"""Output descriptors: what a watching wallet needs to follow an account (BIP 380, 386, 389)."""

from console.adapters.chains.bitcoin.accounts import account_steps, fingerprint
from console.adapters.chains.bitcoin.bech32 import ALPHABET
from console.application.ports.chain import Account, PublicKeys
from console.domain.values import Network, SignatureKind
from console.protocols.derivation import ExtendedPublicKey
from console.protocols.derivation.xpub import MAINNET, TESTNET
from console.protocols.math.group import Point

_CHARACTERS = (
    "0123456789()[],'/*abcdefgh@:$%{}"
    "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
    'ijklmnopqrstuvwxyzABCDEFGH`#"\\ '
)
_GENERATOR = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


def export_account(account: Account, keys: PublicKeys, network: Network) -> str:
    """Return the descriptor of all receiving and change addresses. Raises: NotYetPossible."""
    version = MAINNET if network is Network.MAINNET else TESTNET
    key = account_key(account, keys).encode(version)
    origin = "/".join((fingerprint(account, keys).hex(), *map(str, account_steps(account))))
    kind = "tr" if account.kind is SignatureKind.SCHNORR_BIP340 else "wpkh"
    return with_checksum(f"{kind}([{origin}]{key}/<0;1>/*)")


def account_key(account: Account, keys: PublicKeys) -> ExtendedPublicKey:
    """Return the account's extended key. Raises: NotYetPossible."""
    key, chain_code = keys.master_key(account.kind)
    extended = ExtendedPublicKey(Point(key), chain_code)
    for step in account_steps(account):
        extended = extended.child(step)
    return extended


def with_checksum(descriptor: str) -> str:
    """Append "#" and 8 characters (BIP 380).

    Raises: ValueError for a character that BIP 380 does not allow.
    """
    groups: list[int] = []
    remainder = 1
    for character in descriptor:
        place = _CHARACTERS.index(character)
        remainder = _step(remainder, place & 31)
        groups.append(place >> 5)
        if len(groups) == 3:
            remainder = _step(remainder, groups[0] * 9 + groups[1] * 3 + groups[2])
            groups.clear()
    if groups:
        remainder = _step(remainder, groups[0] * 3 ** (len(groups) - 1) + sum(groups[1:]))
    for _ in range(8):
        remainder = _step(remainder, 0)
    remainder ^= 1
    places = (remainder >> 5 * (7 - number) & 31 for number in range(8))
    return f"{descriptor}#" + "".join(ALPHABET[place] for place in places)


def _step(remainder: int, value: int) -> int:
    top = remainder >> 35
    remainder = (remainder & 0x7FFFFFFFF) << 5 ^ value
    for place, factor in enumerate(_GENERATOR):
        if top >> place & 1:
            remainder ^= factor
    return remainder
