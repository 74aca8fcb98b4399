import pytest

from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import Tag
from console.protocols.math.group import Point
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.ot import endemic
from console.protocols.ot.endemic import POINT, BadTransfer, Choice, answer, choose, receive
from console.protocols.ot.expansion import prefix
from console.protocols.ot.parameters import KAPPA, KEY
from tests.adversary.network import stream
from tests.unit.protocols.ot.keys import bit, key_of

CHOICE = choose(b"session", stream("receiver"))
BOTH, ANSWER = answer(b"session", CHOICE.points, stream("sender"))


def fresh() -> Choice:
    """Give the same choice again: `receive` wipes what it is given."""
    return choose(b"session", stream("receiver"))


def put(points: bytes, at: int, point: bytes) -> bytes:
    return points[: POINT * at] + point + points[POINT * (at + 1) :]


def test_the_receiver_gets_the_keys_of_its_choices_and_no_other() -> None:
    chosen = receive(fresh(), ANSWER)
    both, keys, choices = BOTH.keys.view(), chosen.keys.view(), chosen.choices.view()
    assert 80 < sum(bit(choices, i) for i in range(KAPPA)) < 176
    for i in range(KAPPA):
        key = bytes(keys[KEY * i : KEY * (i + 1)])
        assert key == key_of(both, bit(choices, i), i)
        assert key != key_of(both, 1 - bit(choices, i), i)
    assert len({key_of(both, c, i) for c in (0, 1) for i in range(KAPPA)}) == 2 * KAPPA


def test_the_choice_is_wiped_on_use_and_on_failure() -> None:
    for points in (ANSWER, ANSWER[:-1]):
        choice = fresh()
        try:
            receive(choice, points)
        except BadTransfer:
            assert points is not ANSWER
        assert choice.scalars.wiped
        assert choice.choices.wiped
    chosen = receive(fresh(), ANSWER)
    chosen.wipe()
    assert chosen.keys.wiped


BAD = [
    SECP256K1.identity,
    b"\x02" + b"\xff" * 32,
    b"\x02" + (5).to_bytes(32, "big"),
    b"\x05" + SECP256K1.generator[1:],
]


@pytest.mark.parametrize("point", BAD, ids=["identity", "no-field-element", "off-curve", "form"])
@pytest.mark.parametrize("at", [0, 1, 2 * KAPPA - 1])
def test_points_that_are_not_valid_are_refused_on_both_sides(point: bytes, at: int) -> None:
    with pytest.raises(BadTransfer, match="valid"):
        answer(b"session", put(CHOICE.points, at, point), stream("sender"))
    with pytest.raises(BadTransfer, match="valid"):
        receive(fresh(), put(ANSWER, at, point))


@pytest.mark.parametrize(("at", "source"), [(1, 0), (2, 0), (511, 4)])
def test_a_repeated_point_is_refused_on_both_sides(at: int, source: int) -> None:
    repeated = [
        put(points, at, points[POINT * source : POINT * (source + 1)])
        for points in (CHOICE.points, ANSWER)
    ]
    with pytest.raises(BadTransfer, match="repeated"):
        answer(b"session", repeated[0], stream("sender"))
    with pytest.raises(BadTransfer, match="repeated"):
        receive(fresh(), repeated[1])


@pytest.mark.parametrize("points", [b"", CHOICE.points[:-1], CHOICE.points + b"\x00"])
def test_messages_of_another_length_are_refused(points: bytes) -> None:
    with pytest.raises(BadTransfer, match="few"):
        answer(b"session", points, stream("sender"))


def test_a_key_that_everybody_knows_is_refused() -> None:
    """P_0 = -H(P_1) makes the shared point the identity, whatever the sender draws."""
    hashing = prefix(Tag.OT_BASE_POINT, b"session")
    other = Point(CHOICE.points[POINT : 2 * POINT])
    known = SECP256K1.negate(endemic.hash_to_point(hashing, 0, 0, other))
    with pytest.raises(BadTransfer, match="everybody"):
        answer(b"session", put(CHOICE.points, 0, known), stream("sender"))


def test_a_message_replayed_in_another_session_gives_its_sender_no_key() -> None:
    both, points = answer(b"another session", CHOICE.points, stream("sender"))
    choice = fresh()
    moved = Choice(b"another session", choice.choices, choice.scalars, choice.points)
    chosen = receive(moved, points)
    keys = {key_of(both.keys.view(), c, i) for c in (0, 1) for i in range(KAPPA)}
    mine = {bytes(chosen.keys.view()[KEY * i : KEY * (i + 1)]) for i in range(KAPPA)}
    assert not keys & mine


def test_hashed_points_depend_on_all_they_are_hashed_from() -> None:
    other = Point(CHOICE.points[:POINT])
    base = (b"session", 0, 0, other)
    changed = [
        base,
        (b"sessioN", 0, 0, other),
        (b"session", 1, 0, other),
        (b"session", 0, 1, other),
        (b"session", 0, 0, SECP256K1.negate(other)),
    ]
    points = {
        endemic.hash_to_point(prefix(Tag.OT_BASE_POINT, s), i, b, p) for s, i, b, p in changed
    }
    assert len(points) == len(changed)
    assert all(SECP256K1.parse_point(point) for point in points)


def test_the_shared_key_is_the_hash_of_the_product() -> None:
    k = SECP256K1.random_scalar(stream("k"))
    one = endemic.agree(k, SECP256K1.generator)
    assert one == endemic.agree(SecretBytes(k).view(), SECP256K1.generator)
    assert one == endemic.agree((1).to_bytes(32, "big"), SECP256K1.base(k))
    assert one != endemic.agree(SECP256K1.scalar(N - SECP256K1.public_int(k)), SECP256K1.generator)
