from dataclasses import replace

import pytest

from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import (
    BadShare,
    KeyShare,
    decode_public,
    decode_share,
    encode_public,
    encode_share,
)
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.polynomial import BadIndices
from tests.adversary.erasure import remembered
from tests.adversary.keys import dealt

KEYS = dealt(2, 4)
SHARE = KEYS[3]
PUBLIC = SHARE.public
ENCODED = bytes(encode_share(SHARE).view())


def test_share_survives_storage() -> None:
    encoded = encode_share(SHARE)
    for form in (encoded, encoded.view()):
        decoded = decode_share(form)
        assert decoded == SHARE
        decoded.wipe()
        assert decoded.secret.wiped
    assert not encoded.wiped
    assert decode_public(encode_public(PUBLIC)) == PUBLIC


def test_share_does_not_show_its_secret() -> None:
    assert "<SecretBytes 32 bytes>" in repr(SHARE)


def test_every_changed_byte_of_a_stored_share_is_refused() -> None:
    harmless = len(ENCODED) - 32  # the chain code, which nothing in the share itself confirms
    for at in range(harmless):
        changed = bytearray(ENCODED)
        changed[at] ^= 1
        with pytest.raises(BadShare):
            decode_share(SecretBytes(changed))


def test_every_cut_and_tail_of_a_stored_share_is_refused() -> None:
    for data in [*(ENCODED[:cut] for cut in range(0, len(ENCODED), 7)), ENCODED + b"\x00"]:
        with pytest.raises(BadShare):
            decode_share(SecretBytes(data))
    public = encode_public(PUBLIC)
    for data in (b"", public[:-1], public + b"\x00"):
        with pytest.raises(BadShare):
            decode_public(data)


def test_stored_share_of_another_size_is_refused() -> None:
    longer = KeyShare(3, SecretBytes(bytes(SHARE.secret.view()) + b"\x00"), PUBLIC)
    with pytest.raises(BadShare):
        decode_share(encode_share(longer))


def shares_with(**changed: bytes) -> tuple[tuple[int, bytes], ...]:
    return tuple((i, changed.get(f"p{i}", point)) for i, point in PUBLIC.public_shares)


@pytest.mark.parametrize(
    "changes",
    [
        {"group_name": "unknown"},
        {"threshold": 0},
        {"threshold": 1},
        {"threshold": 3},
        {"threshold": 5},
        {"group_key": ED25519.generator},
        {"group_key": ED25519.identity},
        {"chain_code": bytes(31)},
        {"public_shares": ()},
        {"public_shares": PUBLIC.public_shares[::-1]},
        {"public_shares": (*PUBLIC.public_shares, PUBLIC.public_shares[-1])},
        {"public_shares": ((0, ED25519.generator), *PUBLIC.public_shares)},
        {"public_shares": shares_with(p4=ED25519.generator)},
        {"public_shares": shares_with(p1=ED25519.generator)},
        {"public_shares": shares_with(p2=ED25519.identity)},
    ],
    ids=str,
)
def test_public_package_that_contradicts_itself_is_refused(changes) -> None:
    with pytest.raises(BadShare):
        replace(PUBLIC, **changes).check()


def test_stored_package_that_contradicts_itself_is_refused() -> None:
    other = replace(PUBLIC, group_key=PUBLIC.public_share(1))
    with pytest.raises(BadShare, match="group key"):
        decode_public(encode_public(other))


def test_secret_of_a_refused_share_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = encode_share(replace(SHARE, index=1))
    made = remembered(monkeypatch)
    with pytest.raises(BadShare, match="public share"):
        decode_share(encoded)
    assert [secret.wiped for secret in made] == [True]


@pytest.mark.parametrize(
    "share",
    [
        KeyShare(1, SHARE.secret, PUBLIC),
        KeyShare(9, SHARE.secret, PUBLIC),
        KeyShare(3, SecretBytes(bytes(32)), PUBLIC),
        KeyShare(3, SecretBytes(b"\xff" * 32), PUBLIC),
    ],
)
def test_share_that_does_not_fit_is_refused(share: KeyShare) -> None:
    with pytest.raises(BadShare):
        share.check()


def test_share_of_a_package_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(BadShare):
        replace(SHARE, public=replace(PUBLIC, threshold=3)).check()


def test_unknown_party_has_no_public_share() -> None:
    assert PUBLIC.indices == (1, 2, 3, 4)
    with pytest.raises(BadIndices):
        PUBLIC.public_share(5)
