from collections.abc import Callable
from dataclasses import replace

import pytest

from console.protocols.kernel.secret import SecretWiped
from console.protocols.kernel.transcript import XOF, Tag
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.ot import extension, vole
from console.protocols.ot.extension import Choosing
from console.protocols.ot.parameters import XI
from console.protocols.ot.vole import BadReply, InputsInconsistent, Reply, gadget
from tests.adversary.network import stream
from tests.unit.protocols.ot.keys import bit, dealt_keys, flipped

BOTH, CHOSEN = dealt_keys()
WEIGHTS = gadget(bytes(32), 1, 2)
INPUTS = (3**150 % N, 5**110 % N)
scalar, number = SECP256K1.scalar, SECP256K1.public_int


def run(
    inputs: tuple[int, int] = INPUTS, seed: str = "v"
) -> tuple[Choosing, Reply, tuple[int, int]]:
    choosing, request = extension.request(BOTH, b"s", stream(seed))
    matrix = extension.accept(CHOSEN, b"s", request)
    scalars = scalar(inputs[0]), scalar(inputs[1])
    reply, c1, c2 = vole.reply(CHOSEN, WEIGHTS, b"s2", matrix, scalars, stream(f"{seed}/sender"))
    with pytest.raises(SecretWiped):
        matrix.view()
    return choosing, reply, (number(c1), number(c2))


@pytest.mark.parametrize("inputs", [INPUTS, (0, 0), (1, N - 1), (N - 1, 0)])
def test_shares_add_up_to_the_products(inputs: tuple[int, int]) -> None:
    choosing, reply, c = run(inputs, f"{inputs}")
    d = vole.finish(choosing, WEIGHTS, b"s2", reply)
    b = number(vole.share_of(choosing, WEIGHTS))
    for i in (0, 1):
        assert (c[i] + number(d[i])) % N == inputs[i] * b % N


def test_the_share_is_the_sum_of_the_chosen_weights() -> None:
    choosing = run()[0]
    bits = [bit(choosing.choice.view(), j) for j in range(XI)]
    total = sum(weight for weight, chosen in zip(WEIGHTS, bits, strict=True) if chosen) % N
    assert number(vole.share_of(choosing, WEIGHTS)) == total


@pytest.mark.parametrize("value", [0, 1, N // 2, N - 1])
@pytest.mark.parametrize("pads", [(0, 0), (0, 2**256 - 1), (2**256 - 1, 0)])
def test_corrections_are_reduced_from_one_size_whatever_the_input(
    value: int, pads: tuple[int, int]
) -> None:
    shifted = vole.shifted_input(scalar(value))
    assert shifted % N == value
    whole = pads[0] - pads[1] + shifted
    assert whole > 0
    assert (whole.bit_length() - 1) // 30 == 9  # ten digits of CPython's


def test_gadgets_differ_by_seed_and_direction() -> None:
    gadgets = [gadget(bytes(32), 1, 2), gadget(bytes(32), 2, 1), gadget(b"\x01" * 32, 1, 2)]
    assert len(set(gadgets)) == 3
    assert all(len(set(g)) == XI and max(g) < N for g in gadgets)


def scalars_of(drawn: bytes) -> tuple[int, ...]:
    """Cut what was drawn into numbers of 48 bytes, modulo the order."""
    whole = iter(drawn)
    pieces = zip(*[whole] * 48, strict=True)
    return tuple(int.from_bytes(bytes(piece), "big") % N for piece in pieces)


def test_gadget_and_weights_are_scalars_of_48_bytes_each() -> None:
    expected = scalars_of(XOF(Tag.VOLE_GADGET, 48 * XI, bytes(32), 1, 2))
    assert gadget.__wrapped__(bytes(32), 1, 2) == expected
    assert vole.thetas(b"s", b"c") == scalars_of(XOF(Tag.VOLE_THETA, 96, b"s", b"c"))


def test_weights_of_the_check_are_whole_scalars_and_depend_on_all_corrections() -> None:
    drawn = [theta for n in range(40) for theta in vole.thetas(b"s", n.to_bytes(2, "big"))]
    assert len(set(drawn)) == 80
    assert max(drawn) < N
    assert min(drawn) > N >> 20
    assert max(drawn) > N - (N >> 2)
    assert vole.thetas(b"s", b"") != vole.thetas(b"t", b"")


def add_one(at: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        scalar = (int.from_bytes(data[32 * at : 32 * at + 32], "big") + 1) % N
        return data[: 32 * at] + SECP256K1.scalar(scalar) + data[32 * at + 32 :]

    return change


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("corrections", add_one(0)),
        ("corrections", add_one(XI)),
        ("corrections", add_one(2 * XI)),
        ("corrections", add_one(3 * XI - 1)),
        ("combined", add_one(0)),
        ("digest", flipped),
    ],
    ids=["atilde-1", "atilde-2", "atilde-3", "atilde-last", "eta", "mu"],
)
def test_vole_check_one_bad_value_is_caught(field: str, change: Callable[[bytes], bytes]) -> None:
    choosing, reply, _ = run()
    with pytest.raises(InputsInconsistent):
        vole.finish(
            choosing, WEIGHTS, b"s2", replace(reply, **{field: change(getattr(reply, field))})
        )


@pytest.mark.parametrize("field", ["corrections", "combined"])
@pytest.mark.parametrize("value", [N, 2**256 - 1])
def test_vole_scalars_out_of_range_are_malformed(field: str, value: int) -> None:
    choosing, reply, _ = run()
    data = value.to_bytes(32, "big") + getattr(reply, field)[32:]
    with pytest.raises(BadReply):
        vole.finish(choosing, WEIGHTS, b"s2", replace(reply, **{field: data}))


@pytest.mark.parametrize("row", range(8))
def test_vole_sender_that_guesses_a_choice_is_caught_if_it_guesses_wrong(row: int) -> None:
    """Another input in one row, with mu made for choice 0: it fits exactly if the choice is 0."""
    choosing, request = extension.request(BOTH, b"s", stream(f"guess/{row}"))
    matrix = extension.accept(CHOSEN, b"s", request)
    zeros, _ = extension.both_pads(CHOSEN, b"s2", matrix)
    scalars = scalar(INPUTS[0]), scalar(INPUTS[1])
    reply, _, _ = vole.reply(CHOSEN, WEIGHTS, b"s2", matrix, scalars, stream("sender"))
    corrections = add_one(row)(reply.corrections)
    theta1, theta2 = vole.thetas(b"s2", corrections)
    # The cheat knows a_1, a_2 and its third input, from the honest combination.
    honest1, honest2 = vole.thetas(b"s2", reply.corrections)
    eta = int.from_bytes(reply.combined, "big")
    a3 = eta - honest1 * INPUTS[0] - honest2 * INPUTS[1]
    combined = [z3 + theta1 * z1 + theta2 * z2 for z1, z2, z3 in zip(*zeros, strict=True)]
    forged = Reply(
        corrections,
        SECP256K1.scalar(a3 + theta1 * INPUTS[0] + theta2 * INPUTS[1]),
        vole.H(vole.Tag.VOLE_MU, b"s2", vole.encoded(combined)),
    )
    if bit(choosing.choice.view(), row):
        with pytest.raises(InputsInconsistent):
            vole.finish(choosing, WEIGHTS, b"s2", forged)
    else:
        vole.finish(choosing, WEIGHTS, b"s2", forged)


def test_vole_reply_of_another_session_is_refused() -> None:
    choosing, reply, _ = run()
    with pytest.raises(InputsInconsistent):
        vole.finish(choosing, WEIGHTS, b"other", reply)
    with pytest.raises(InputsInconsistent):
        vole.finish(run(seed="w")[0], WEIGHTS, b"s2", reply)
