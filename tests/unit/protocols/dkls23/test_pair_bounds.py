"""Stored pair states at the bounds of their fields."""

import pytest

from console.protocols.dkls23 import BadPairStates, decode_pairs, encode_pairs
from console.protocols.kernel.secret import SecretBytes
from tests.unit.protocols.dkls23.dealt import dealt_pairs

ONE_PEER = encode_pairs(dealt_pairs((1, 2))[1])
HEAD = 12 + 32


def changed(at: int, value: int) -> SecretBytes:
    copy = SecretBytes(bytes(ONE_PEER.view()))
    copy.view()[at : at + 4] = value.to_bytes(4, "big")
    return copy


@pytest.mark.parametrize("index", [3, 0xFFFF])
def test_indices_reach_to_their_bound(index: int) -> None:
    assert decode_pairs(changed(4, index)).me == index
    assert decode_pairs(changed(HEAD, index)).peers == (index,)


@pytest.mark.parametrize("index", [0, 1 << 16, (1 << 24) + 1, (1 << 24) + 3, 0xFFFFFFFF])
def test_indices_beyond_are_refused(index: int) -> None:
    for at in (4, HEAD):
        with pytest.raises(BadPairStates):
            decode_pairs(changed(at, index))


def test_a_banned_peer_has_nothing_left() -> None:
    for at in (5, 6, 36, 37, 100):
        copy = changed(HEAD + at, 1)
        with pytest.raises(BadPairStates, match="canonical"):
            decode_pairs(banned(copy))
    assert decode_pairs(banned(SecretBytes.zeros(len(ONE_PEER)))).banned == {2}


def banned(encoded: SecretBytes) -> SecretBytes:
    view = encoded.view()
    view[: HEAD + 4] = ONE_PEER.view()[: HEAD + 4]
    view[HEAD + 4] = 1
    return encoded
