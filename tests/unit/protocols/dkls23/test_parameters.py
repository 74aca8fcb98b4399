"""Every name covers all that it names: leaving one out would let messages move between sessions."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from console.protocols.dkls23.messages import Commitment
from console.protocols.dkls23.pair_setup import PairSetup, promise
from console.protocols.dkls23.parameters import (
    PRESIGN,
    SigningParameters,
    SigningRefused,
    agree,
    reply_session,
)
from console.protocols.dkls23.signing import commitment_digest, commitments_digest
from console.protocols.kernel.rounds import Rounds
from console.protocols.math.secp256k1 import SECP256K1
from console.protocols.ot import extension
from tests.adversary.keys import dealt
from tests.adversary.network import SESSION_ID, signed, stream
from tests.unit.protocols.dkls23.dealt import DIGEST, TWEAK, Bench
from tests.unit.protocols.ot.keys import dealt_keys, flipped

BENCH = Bench(2, 4)
NONCE = bytes(32)
OTHER = b"\x01" * 32


def parameters(
    me: int = 1,
    peer: int = 2,
    session_id: bytes = SESSION_ID,
    bench: Bench = BENCH,
    purpose: bytes = DIGEST,
    tweak: bytes | None = None,
) -> SigningParameters:
    party = Rounds(session_id, me, tuple(sorted((me, peer))), signed)
    return agree(party, bench.keys[me], bench.pairs[me], purpose, tweak)


def test_signing_parameters_are_the_same_at_all_parties_and_cover_all_they_name() -> None:
    assert parameters(1, 2).id == parameters(2, 1).id
    epoch = BENCH.copy()
    epoch.pairs[1].setup_id = bytes(32)
    changed = [
        parameters(),
        parameters(1, 3),
        parameters(session_id=OTHER),
        parameters(bench=Bench(2, 3)),
        parameters(bench=epoch),
        parameters(purpose=OTHER),
        parameters(purpose=b"presign"),
        parameters(tweak=TWEAK),
        parameters(tweak=SECP256K1.scalar(1)),
    ]
    assert len({one.id for one in changed}) == len(changed)
    assert parameters(tweak=SECP256K1.scalar(0)).id == parameters().id


@pytest.mark.parametrize(("threshold", "refused"), [(2, False), (64, False), (65, True)])
def test_as_many_as_64_may_sign(threshold: int, refused: bool) -> None:
    keys = dealt(threshold, threshold, "many", SECP256K1)
    party: Any = SimpleNamespace(
        me=1, parties=tuple(keys), others=tuple(keys)[1:], session_id=bytes(32)
    )
    pairs: Any = SimpleNamespace(me=1, setup_id=bytes(32), state=lambda _: None)
    if refused:
        with pytest.raises(SigningRefused, match="as many"):
            agree(party, keys[1], pairs, PRESIGN, None)
    else:
        assert agree(party, keys[1], pairs, PRESIGN, None).parties == tuple(keys)


def test_multiplications_have_names_of_their_own() -> None:
    one = parameters()
    names = [
        one.vole(1, 2, NONCE),
        one.vole(2, 1, NONCE),
        one.vole(1, 3, NONCE),
        one.vole(1, 2, OTHER),
        parameters(purpose=OTHER).vole(1, 2, NONCE),
    ]
    assert len(set(names)) == len(names)


def test_replies_are_bound_to_the_session_and_to_the_whole_request() -> None:
    _, request = extension.request(dealt_keys()[0], b"s", stream("r"))
    names = [
        reply_session(NONCE, NONCE, NONCE, request),
        reply_session(OTHER, NONCE, NONCE, request),
        reply_session(NONCE, OTHER, NONCE, request),
        reply_session(NONCE, NONCE, OTHER, request),
        *(
            reply_session(
                NONCE, NONCE, NONCE, replace(request, **{field: flipped(getattr(request, field))})
            )
            for field in ("correction", "hashed_choice", "hashed_rows")
        ),
    ]
    assert len(set(names)) == len(names)


def test_sessions_and_commitments_cover_everything_said() -> None:
    one = parameters()
    said = {1: Commitment(one.id, NONCE, NONCE), 2: Commitment(one.id, OTHER, NONCE)}
    other_nonce = {**said, 2: Commitment(one.id, NONCE, NONCE)}
    other_digest = {**said, 2: Commitment(one.id, OTHER, OTHER)}
    assert one.session(said) != one.session(other_nonce)
    assert one.session(dict(reversed(said.items()))) == one.session(said)
    digests = {commitments_digest(NONCE, rows) for rows in (said, other_nonce, other_digest)}
    assert len(digests | {commitments_digest(OTHER, said)}) == 4
    base = (one, 1, NONCE, SECP256K1.generator, NONCE)
    for at, value in enumerate((parameters(purpose=OTHER), 2, OTHER, one.key, OTHER)):
        assert commitment_digest(*base) != commitment_digest(*base[:at], value, *base[at + 1 :])


@pytest.mark.parametrize("name", ["id", "vole"])
def test_pair_setups_have_names_of_their_own(name: str) -> None:
    both = [PairSetup(1, NONCE, NONCE), PairSetup(1, OTHER, NONCE)]
    names = {getattr(one, name)(a, b) for one in both for a, b in ((1, 2), (2, 1), (1, 3))}
    assert len(names) == 6


def test_promises_cover_all_they_promise() -> None:
    base = (NONCE, 1, 2, "zero", NONCE)
    for at, value in enumerate((OTHER, 2, 1, "gadget", OTHER)):
        assert promise(*base) != promise(*base[:at], value, *base[at + 1 :])
