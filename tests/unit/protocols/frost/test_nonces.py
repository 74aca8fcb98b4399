import copy
import pickle

import pytest

from console.protocols.frost import FROST_ED25519, NonceReused, commit, sign
from console.protocols.frost.nonces import generate_nonce
from tests.adversary.erasure import remembered
from tests.adversary.keys import dealt
from tests.adversary.network import Network, stream

SECRET = dealt(2, 2)[1].secret


def test_nonces_are_handed_out_once() -> None:
    nonces, commitment = commit(FROST_ED25519, SECRET, stream("n"))
    assert nonces.commitment is commitment
    d, e = nonces.consume(FROST_ED25519)
    group = FROST_ED25519.group
    assert (group.base(d), group.base(e)) == (commitment.hiding, commitment.binding)
    assert nonces.used
    with pytest.raises(NonceReused):
        nonces.consume(FROST_ED25519)
    assert nonces.wiped


def test_wiped_nonces_count_as_used() -> None:
    nonces, _ = commit(FROST_ED25519, SECRET, stream("n"))
    assert not nonces.wiped
    nonces.wipe()
    assert nonces.wiped
    with pytest.raises(NonceReused):
        nonces.consume(FROST_ED25519)


def test_nonces_of_an_abandoned_run_are_wiped(monkeypatch) -> None:
    keys = dealt(2, 2)
    made = remembered(monkeypatch)
    network = Network({i: lambda p, i=i: sign(p, keys[i], b"m", stream("x")) for i in (1, 2)})
    network.sessions[1].start()
    assert len(made) == 2
    assert not any(secret.wiped for secret in made)
    network.sessions[1].close()
    assert all(secret.wiped for secret in made)


def test_nonces_are_neither_copied_nor_stored_nor_shown() -> None:
    nonces, _ = commit(FROST_ED25519, SECRET, stream("n"))
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(NonceReused):
            duplicate(nonces)
    assert repr(nonces) == "<SigningNonces fresh>"
    nonces.wipe()
    assert repr(nonces) == "<SigningNonces used>"


def test_nonces_depend_on_fresh_randomness_and_on_the_share() -> None:
    other = dealt(2, 2)[2].secret
    one = generate_nonce(FROST_ED25519, SECRET, bytes(32))
    assert one != generate_nonce(FROST_ED25519, other, bytes(32))
    assert one != generate_nonce(FROST_ED25519, SECRET, b"\x01" * 32)
    with pytest.raises(ValueError, match="32"):
        generate_nonce(FROST_ED25519, SECRET, bytes(31))
