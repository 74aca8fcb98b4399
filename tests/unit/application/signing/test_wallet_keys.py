"""A wallet's keys at any path, and what a request's bytes need of them."""

from dataclasses import replace

import pytest

from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.application.ports.chain import Payload
from console.application.signing.wallet_keys import MAX_KEPT, WalletKeys
from console.domain.errors import Conflict, NotYetPossible
from console.domain.events import GroupKey
from console.domain.values import Chain, SignatureKind
from console.protocols.keygen.share import PublicKeyPackage, encode_public
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.keys import dealt
from tests.unit.application.ceremonies.scenes import certified, wallet_of
from tests.unit.application.desk import Desk
from tests.unit.application.signing.scenes import transfer
from tests.unit.domain.facts import ANA, KIND, WALLET

ECDSA = SignatureKind.ECDSA_SECP256K1


async def test_a_key_at_a_path_is_the_scheme_s_and_derived_once() -> None:
    desk = await certified()
    keys = desk.transactions.keys(wallet_of(desk))
    public = dealt(2, 3)[1].public
    for path in ("m", "m/0/5"):
        assert keys.public_key(KIND, path) == desk.schemes[KIND].public_key(public, path)
        assert keys.public_key(KIND, path) is keys.public_key(KIND, path)
    assert desk.transactions.keys(wallet_of(desk)) is keys


@pytest.mark.parametrize(
    ("kind", "path", "words"),
    [
        (ECDSA, "m", "cannot sign with keys of ecdsa-secp256k1"),
        (KIND, "m/0'", "no key of this wallet is at"),
        (KIND, "../" * 90, "no key of this wallet is at"),
    ],
)
async def test_a_key_that_is_not_there_is_said_so(
    kind: SignatureKind, path: str, words: str
) -> None:
    desk = await certified()
    with pytest.raises(NotYetPossible, match=words) as refused:
        desk.transactions.keys(wallet_of(desk)).public_key(kind, path)
    assert len(str(refused.value)) < 300


async def test_a_kind_that_the_wallet_has_no_key_of_is_said_so() -> None:
    desk = await certified()
    keys = WalletKeys(wallet_of(desk), {ECDSA: EcdsaSecp256k1()})
    with pytest.raises(NotYetPossible, match="has no ecdsa-secp256k1 key"):
        keys.public_key(ECDSA, "m")


async def test_the_extended_form_is_of_kinds_that_have_one() -> None:
    desk = await certified()
    public = dealt(2, 3, group=SECP256K1)[1].public
    key = GroupKey(ECDSA, public.group_key, encode_public(public))
    wallet = replace(wallet_of(desk), keys=(*wallet_of(desk).keys, key))
    keys = WalletKeys(wallet, desk.schemes)
    assert keys.master_key(ECDSA) == (public.group_key, public.chain_code)
    with pytest.raises(NotYetPossible, match="no extended form"):
        keys.master_key(KIND)


class Counting:
    """A scheme that counts how often it derives."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def public_key(self, _public: PublicKeyPackage, path: str) -> bytes:
        self.asked.append(path)
        return path.encode()


async def test_paths_of_proposals_do_not_fill_the_memory() -> None:
    desk, scheme = await certified(), Counting()
    keys = WalletKeys(wallet_of(desk), {KIND: scheme})  # type: ignore[dict-item]
    for number in (*range(MAX_KEPT), 0):
        keys.public_key(KIND, f"m/{number}")
    assert len(scheme.asked) == MAX_KEPT
    keys.public_key(KIND, "m/one more")
    keys.public_key(KIND, "m/0")
    assert len(scheme.asked) == MAX_KEPT + 2


async def needing(desk: Desk, *payloads: Payload) -> None:
    """Ask for a transfer whose bytes need these signatures."""
    chain = desk.chains[Chain.SOLANA]
    chain.payloads = lambda _transaction, _keys: payloads  # type: ignore[method-assign]
    await desk.hear(ANA, transfer(desk))


async def test_bytes_that_need_other_signatures_than_the_request_names_are_refused() -> None:
    desk = await certified()
    with pytest.raises(Conflict, match="another key than its bytes need"):
        await needing(desk, Payload(b"m", KIND, "m"), Payload(b"m", ECDSA, "m"))
    with pytest.raises(NotYetPossible, match="no key of this wallet is at"):
        await needing(desk, Payload(b"m", KIND, "m"), Payload(b"m", KIND, "m/0'"))
    assert desk.steps == []


@pytest.mark.parametrize("size", [0, 31, 33])
async def test_what_is_signed_has_the_size_that_its_kind_asks_for(size: int) -> None:
    desk = await certified()
    desk.schemes[KIND].message_size = 32
    with pytest.raises(Conflict, match="wrong size for this kind of key"):
        await needing(desk, Payload(bytes(32), KIND, "m"), Payload(bytes(size), KIND, "m"))
    await needing(desk, Payload(bytes(32), KIND, "m"))
    assert WALLET in desk.aggregates.wallets
