"""One form for each part of a key; anything else is refused."""

import pytest

from console.application.ports.threshold import KeyMaterial
from console.application.shares.key_material_codec import decode_key_material, encode_key_material
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import BadShare, encode_share
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.keys import dealt
from tests.unit.protocols.dkls23.dealt import dealt_pairs, encode_pairs

SHARES = dealt(2, 5, group=SECP256K1)


def held_key(setup: bytes | None = b"setup") -> KeyMaterial:
    return KeyMaterial(SHARES[2], None if setup is None else SecretBytes(setup))


@pytest.mark.parametrize("setup", [None, b"s", bytes(100_000)])
def test_encoding_is_a_round_trip(setup: bytes | None) -> None:
    held = held_key(setup)
    encoded = encode_key_material(held)
    again = decode_key_material(encoded)
    assert again == held
    assert encode_key_material(again) == encoded
    assert len(encoded) == 12 + len(encode_share(held.share)) + len(setup or b"")
    again.wipe()
    assert again.share.secret.wiped
    assert not held.share.secret.wiped
    assert encode_key_material(held) == encoded


def test_pair_states_of_five_parties_fit_the_largest_record() -> None:
    pairs = encode_pairs(dealt_pairs(SHARES)[2])
    encoded = encode_key_material(KeyMaterial(SHARES[2], pairs))
    assert decode_key_material(encoded).setup == pairs
    assert 4 * 24_000 < len(encoded) < 1 << 20


def test_a_bare_share_opens_without_setup() -> None:
    assert decode_key_material(encode_share(SHARES[2])) == held_key(None)


def test_an_empty_setup_has_no_form() -> None:
    with pytest.raises(ValueError, match="empty"):
        encode_key_material(held_key(b""))


def changed(at: int, value: bytes) -> SecretBytes:
    encoded = encode_key_material(held_key())
    encoded.view()[at : at + len(value)] = value
    return encoded


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"QHK2"),
        (0, b"QKS1"),
        (4, bytes(4)),
        (4, b"\xff\xff\xff\xff"),
        (8, bytes(4)),
        (8, b"\x00\x00\x00\x06"),
        (8, b"\xff\xff\xff\xff"),
        (12, b"QHK1"),
    ],
)
def test_other_forms_are_refused(at: int, value: bytes) -> None:
    with pytest.raises(BadShare):
        decode_key_material(changed(at, value))


def test_lengths_that_add_up_to_the_whole_but_cut_elsewhere_are_refused() -> None:
    size = len(encode_share(SHARES[2]))
    for moved in (-1, 1):
        lengths = (size + moved).to_bytes(4, "big") + (5 - moved).to_bytes(4, "big")
        with pytest.raises(BadShare):
            decode_key_material(changed(4, lengths))


@pytest.mark.parametrize("cut", [0, 3, 4, 11, 12, 40, -1])
def test_what_is_cut_short_or_too_long_is_refused(cut: int) -> None:
    whole = bytes(encode_key_material(held_key()).view())
    for data in (whole[:cut], whole + b"\0", whole + whole[:cut] if cut else b"QHK1"):
        if data != whole:
            with pytest.raises(BadShare):
                decode_key_material(SecretBytes(data))
