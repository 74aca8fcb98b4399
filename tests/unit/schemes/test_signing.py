"""Signatures of every kind at every path, under the keys that wallets derive for themselves."""

import hashlib
from dataclasses import replace

import pytest
from coincurve import PublicKeyXOnly

from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.application.errors import SealBroken
from console.application.ports.threshold import KeyMaterial, KeyPathRefused, SignatureInvalid
from console.protocols.derivation import ExtendedPublicKey
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen import PublicKeyPackage
from console.protocols.math.group import Point
from tests.adversary.erasure import remembered
from tests.unit.schemes.driving import (
    DIGEST,
    KINDS,
    Kind,
    N,
    check,
    copied,
    delivered,
    generated,
    parts_of,
    signed,
    signing,
)

EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
SECP_KINDS = pytest.mark.parametrize("kind", [EcdsaSecp256k1, SchnorrBip340])
PATHS = ("m", "m/0/5", "m/1", "m/2147483647/0/7")
TAPROOT_PATHS = tuple(f"tr({path})" for path in PATHS)


def public_of(kind: Kind) -> PublicKeyPackage:
    return generated(kind, 2, 3)[1].public


def x_only(public: PublicKeyPackage, *steps: int) -> bytes:
    key = ExtendedPublicKey(Point(public.group_key), public.chain_code)
    for step in steps:
        key = key.child(step)
    return key.key[1:]


@EVERY_KIND
@pytest.mark.parametrize("path", PATHS)
def test_children_sign_under_their_own_keys(kind: Kind, path: str) -> None:
    parts, public = parts_of(generated(kind, 2, 3)), public_of(kind)
    signature = signed(kind, parts, (1, 3), path)
    other = kind().public_key(public, "m/9")
    with pytest.raises(SignatureInvalid):
        kind().verify(other, DIGEST, signature)


@pytest.mark.parametrize("path", TAPROOT_PATHS)
def test_taproot_output_keys_sign(path: str) -> None:
    parts = parts_of(generated(SchnorrBip340, 2, 3))
    signature = signed(SchnorrBip340, parts, (2, 3), path)
    internal = SchnorrBip340().public_key(public_of(SchnorrBip340), path[3:-1])
    with pytest.raises(SignatureInvalid):
        SchnorrBip340().verify(internal, DIGEST, signature)


@pytest.mark.parametrize("step", range(8))
def test_taproot_output_keys_are_those_of_bip_341(step: int) -> None:
    """Eight children, so that internal and output keys of either parity are among them."""
    internal = x_only(public_of(SchnorrBip340), 0, step)
    tag = hashlib.sha256(b"TapTweak").digest()
    output = PublicKeyXOnly(internal)
    output.tweak_add(hashlib.sha256(tag + tag + internal).digest())
    path = f"m/0/{step}"
    assert SchnorrBip340().public_key(public_of(SchnorrBip340), path) == internal
    assert SchnorrBip340().public_key(public_of(SchnorrBip340), f"tr({path})") == output.format()
    signed(SchnorrBip340, parts_of(generated(SchnorrBip340, 2, 3)), (1, 2), f"tr({path})")


def test_ecdsa_keys_are_those_of_bip_32() -> None:
    public = public_of(EcdsaSecp256k1)
    key = ExtendedPublicKey(Point(public.group_key), public.chain_code)
    assert EcdsaSecp256k1().public_key(public, "m") == key.key
    assert EcdsaSecp256k1().public_key(public, "m/0/5") == key.child(0).child(5).key


@EVERY_KIND
@pytest.mark.parametrize("path", ["", "m/0'", "m/2147483648", "tr(m", "m/x"])
def test_paths_without_a_key_are_refused_before_anything_is_said(kind: Kind, path: str) -> None:
    parts = parts_of(generated(kind, 2, 3))
    with pytest.raises(KeyPathRefused):
        kind().public_key(public_of(kind), path)
    with pytest.raises(KeyPathRefused):
        delivered(signing(kind, parts, (1, 2), path), "refused")


@pytest.mark.parametrize("kind", [EcdsaSecp256k1, EddsaEd25519])
def test_only_schnorr_has_taproot_keys(kind: Kind) -> None:
    with pytest.raises(KeyPathRefused):
        kind().public_key(public_of(kind), "tr(m/0/5)")
    with pytest.raises(KeyPathRefused):
        delivered(signing(kind, parts_of(generated(kind, 2, 3)), (1, 2), "tr(m/0/5)"), "refused")


@EVERY_KIND
def test_kinds_say_what_they_sign(kind: Kind) -> None:
    parts, size = parts_of(generated(kind, 2, 3)), kind().message_size
    for message in (b"", b"\x01" * 31, b"\x01" * 33, b"\x01" * 1000):
        if size is None:
            signed(kind, parts, (1, 2), "m/0", message)
        else:
            assert size == 32
            with pytest.raises(ValueError, match="32"):
                delivered(signing(kind, parts, (1, 2), "m", message), "size")
            with pytest.raises(SignatureInvalid):
                kind().verify(kind().public_key(public_of(kind), "m"), message, bytes(65))


@EVERY_KIND
@pytest.mark.parametrize("signers", [(1, 2, 3), (2,)])
def test_signers_are_exactly_the_threshold(kind: Kind, signers: tuple[int, ...]) -> None:
    network = delivered(signing(kind, parts_of(generated(kind, 2, 3)), signers), "signers")
    assert not network.sent
    assert set(network.verdicts().values()) == {("retry", frozenset(), "signers")}


@EVERY_KIND
def test_parties_that_do_not_belong_to_the_key_do_not_begin(kind: Kind) -> None:
    parts = parts_of(generated(kind, 2, 3))
    runs = signing(kind, {**parts, 7: parts[2]}, (1, 7))
    network = delivered(runs, "strangers")
    assert not network.sent
    assert {verdict[0] for verdict in network.verdicts().values()} <= {"retry", "ban"}


@EVERY_KIND
def test_parties_that_mean_different_messages_or_keys_make_no_signature(kind: Kind) -> None:
    parts = parts_of(generated(kind, 2, 3))
    for path, message in (("m", bytes(32)), ("m/0", DIGEST)):
        runs = {1: signing(kind, parts, (1,))[1], 2: signing(kind, parts, (2,), path, message)[2]}
        assert not delivered(runs, "different").outcomes


@EVERY_KIND
@pytest.mark.parametrize("path", ["m/0/5", "tr(m/0/5)"])
def test_nothing_secret_is_left_of_a_signature(
    kind: Kind, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path.startswith("tr(") and kind is not SchnorrBip340:
        path = "m"
    parts = parts_of(generated(kind, 2, 3))
    runs = signing(kind, parts, (1, 2), path)
    made = remembered(monkeypatch)
    assert len(delivered(runs, "traces").outcomes) == 2
    assert made
    assert not [secret for secret in made if not secret.wiped]
    for held in parts.values():
        assert not held.share.secret.wiped
        assert held.setup is None or not held.setup.wiped


@EVERY_KIND
def test_a_signature_has_one_form(kind: Kind) -> None:
    public = public_of(kind)
    key = kind().public_key(public, "m")
    signature = signed(kind, parts_of(generated(kind, 2, 3)), (1, 2))
    check(kind, public, "m", DIGEST, signature)
    for place in (0, 31, 32, 63):
        altered = bytearray(signature)
        altered[place] ^= 1
        with pytest.raises(SignatureInvalid):
            kind().verify(key, DIGEST, bytes(altered))
    for other in (b"", signature[:-1], signature + b"\0", bytes(len(signature))):
        with pytest.raises(SignatureInvalid):
            kind().verify(key, DIGEST, other)
    for other in (b"", key[:-1], key + b"\0", bytes(len(key)), b"\xff" * len(key)):
        with pytest.raises(SignatureInvalid):
            kind().verify(other, DIGEST, signature)


def test_a_high_s_and_another_recovery_id_are_refused() -> None:
    kind = EcdsaSecp256k1()
    key = kind.public_key(public_of(EcdsaSecp256k1), "m")
    signature = signed(EcdsaSecp256k1, parts_of(generated(EcdsaSecp256k1, 2, 3)), (1, 2))
    r, s, recovery_id = signature[:32], int.from_bytes(signature[32:64]), signature[64]
    high = r + (N - s).to_bytes(32) + bytes((recovery_id ^ 1,))
    others = [signature[:64] + bytes((i,)) for i in range(256) if i != recovery_id]
    for altered in (high, high[:64] + bytes((recovery_id,)), *others):
        with pytest.raises(SignatureInvalid):
            kind.verify(key, DIGEST, altered)
    uncompressed = b"\x04" + key[1:] + bytes(32)
    with pytest.raises(SignatureInvalid):
        kind.verify(uncompressed, DIGEST, signature)


@pytest.mark.parametrize("damage", ["none", "cut", "empty"])
def test_ecdsa_needs_the_pair_states_that_its_setup_made(damage: str) -> None:
    held = copied(parts_of(generated(EcdsaSecp256k1, 2, 3))[1])
    assert held.setup is not None
    setup = {
        "none": None,
        "cut": SecretBytes(bytes(held.setup.view()[:-1])),
        "empty": SecretBytes(b"QDP1"),
    }[damage]
    broken = KeyMaterial(held.share, setup)
    with pytest.raises(SealBroken):
        delivered(signing(EcdsaSecp256k1, {1: broken, 2: broken}, (1, 2)), "broken")
    with pytest.raises(SealBroken):
        EcdsaSecp256k1().without_peers(broken, [2])


def test_pair_states_of_another_party_do_not_begin() -> None:
    parts = parts_of(generated(EcdsaSecp256k1, 2, 3))
    runs = signing(EcdsaSecp256k1, {**parts, 1: replace(parts[1], setup=parts[3].setup)}, (1, 2))
    network = delivered(runs, "swapped")
    assert 1 in network.aborts
    assert not [envelope for envelope in network.sent if envelope.sender == 1]


@pytest.mark.parametrize("kind", [SchnorrBip340, EddsaEd25519])
def test_frost_keeps_nothing_with_peers(kind: Kind) -> None:
    parts = parts_of(generated(kind, 2, 3))
    assert kind().without_peers(parts[1], [2, 3]) is None
    signed(kind, parts, (1, 2))
