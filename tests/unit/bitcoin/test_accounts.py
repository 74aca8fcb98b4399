"""The keys at an account's places are those that the product's own schemes sign with."""

from dataclasses import dataclass

import pytest

from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    base_path,
    input_origin,
    output_origin,
    script_at,
    signing_path,
)
from console.adapters.chains.bitcoin.shuffling import shuffled
from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.application.ports.chain import Account
from console.domain.values import SignatureKind
from console.protocols.keygen.share import PublicKeyPackage
from console.protocols.math.group import Point
from tests.unit.bitcoin.wallets import KEYS

SCHEMES = {
    SignatureKind.ECDSA_SECP256K1: EcdsaSecp256k1(),
    SignatureKind.SCHNORR_BIP340: SchnorrBip340(),
}


@dataclass(frozen=True)
class SchemeKeys:
    """Implements `PublicKeys` as the product does, for a key that one party holds alone."""

    def public_key(self, kind: SignatureKind, path: str) -> bytes:
        key, chain_code = KEYS.master_key(kind)
        package = PublicKeyPackage("secp256k1", 1, Point(key), ((1, Point(key)),), chain_code)
        return SCHEMES[kind].public_key(package, path)

    def master_key(self, kind: SignatureKind) -> tuple[bytes, bytes]:
        return KEYS.master_key(kind)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)
@pytest.mark.parametrize("place", [KeyPosition(0, 0), KeyPosition(1, 0), KeyPosition(0, 1_000_000)])
def test_scripts_and_origins_are_the_same(account: Account, place: KeyPosition) -> None:
    theirs = SchemeKeys()
    assert script_at(account, KEYS, place) == script_at(account, theirs, place)
    assert input_origin(account, KEYS, place) == input_origin(account, theirs, place)
    assert output_origin(account, KEYS, place) == output_origin(account, theirs, place)


def test_paths() -> None:
    assert (
        signing_path(SEGWIT, KeyPosition(1, 7))
        == base_path(SEGWIT, KeyPosition(1, 7))
        == "m/84/0/0/1/7"
    )
    assert base_path(TAPROOT, KeyPosition(0, 3)) == "m/86/0/0/0/3"
    assert signing_path(TAPROOT, KeyPosition(0, 3)) == "tr(m/86/0/0/0/3)"


def test_orders_are_decided_by_the_seed_alone() -> None:
    items = [bytes([number]) for number in range(8)]
    orders = {tuple(shuffled(items, seed, bytes)) for seed in range(50)}
    assert len(orders) > 40
    assert shuffled(items, 5, bytes) == shuffled(items[::-1], 5, bytes)
    assert all(sorted(order) == items for order in orders)
