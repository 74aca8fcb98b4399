"""ChillDKG (draft): the steps that its key generation and ours have in common.

Shared: Feldman commitments and their length, points, shares against commitments, who dealt a bad
share, sums of commitments, group key and public shares, the tweak for no script, signatures of
BIP 340 and their complete set in a certificate, the bounds of the threshold. Not shared, and
computed by `chilldkg`: pads, the proof of possession, messages. Cases that only malform what is
not shared are left out, and listed at the end.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.protocols.derivation import TweakContext, tap_tweak_scalar
from console.protocols.derivation.share import moved, moved_public
from console.protocols.frost import InvalidSignature, bip340
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen import Certificate, CertificateIncomplete, dkg
from console.protocols.keygen.complaints import find_bad_shares, fits
from console.protocols.keygen.dkg import KeygenParameters, generate
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.feldman import (
    ShareMismatch,
    add_commitments,
    commitment_at,
    parse_commitment,
    verify_share,
)
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.network import stream
from tests.vectors.chilldkg import (
    Broadcast,
    Dealer,
    First,
    Params,
    certificate_message,
    equality_input,
    hashed,
    pads_of,
    pieces,
    proven,
    sign,
    total,
)

HERE = Path(__file__).parent / "chilldkg"
Row = dict[str, Any]

unhex = bytes.fromhex


class Refused(Exception):
    """ChillDKG's verdict: its name in the vectors, and who is named."""

    def __init__(self, name: str, participant: int | None = None) -> None:
        super().__init__(name)
        self.verdict = (name, participant)


SEEN: dict[str, set[int]] = {}


def load(name: str) -> Any:
    return json.loads((HERE / f"{name}_vectors.json").read_text())


def cases(names: str, kind: str, *comments: str) -> pytest.MarkDecorator:
    """Give the rows of files, each with what its group adds, whose comment holds a text."""
    rows, ids = [], []
    for name in names.split():
        data = load(name)
        for group in data.get("testGroups", [data]):
            for case in group[f"{kind}TestCases"]:
                if not comments or any(comment in case["comment"] for comment in comments):
                    rows.append({**group, **case})
                    ids.append(f"{name}-{case['tcId']}")
                    SEEN.setdefault(name, set()).add(case["tcId"])
    assert rows
    return pytest.mark.parametrize("row", rows, ids=ids)


def verdict(row: Row) -> tuple[str, int | None]:
    return row["expectedError"]["type"], row["expectedError"].get("participantId")


def params_of(row: Row) -> Params:
    return Params.of(row["params"])


def dealer(row: Row) -> Dealer:
    return Dealer(unhex(row["hostseckey"]), unhex(row["random"]), params_of(row))


def dealt(params: Params, messages: list[First]) -> dict[int, tuple[Point, ...]]:
    """All commitments, by our numbers, parsed as we parse them."""
    return {
        i: parse_commitment(SECP256K1, params.t, message.points)
        for i, message in enumerate(messages, start=1)
    }


def coordinated(messages: list[First], points: dict[int, tuple[Point, ...]]) -> Broadcast:
    return Broadcast(
        [message.points[0] for message in messages],
        [*add_commitments(SECP256K1, [*points.values()])[1:]],
        [message.pop for message in messages],
        [message.nonce for message in messages],
        [total(list(column)) for column in zip(*(m.padded for m in messages), strict=True)],
    )


def public_of_sum(params: Params, together: tuple[Point, ...]) -> PublicKeyPackage:
    shares = tuple((j, commitment_at(SECP256K1, together, j)) for j in range(1, params.n + 1))
    return PublicKeyPackage(SECP256K1.name, params.t, together[0], shares, bytes(32))


def tweaked(public: PublicKeyPackage) -> TweakContext:
    """Add the tweak for no script to the key as it is, where BIP 341 takes the one with even y.

    A script that somebody hid in the key beforehand cannot be spent afterwards.
    """
    key = Point(public.group_key)
    return TweakContext.of(SECP256K1, key).apply(tap_tweak_scalar(key, None))


def share_of(index: int, secret: SecretBytes, public: PublicKeyPackage) -> KeyShare:
    return moved(KeyShare(index, secret, public), tweaked(public), bytes(32))


def output_of(public: PublicKeyPackage) -> PublicKeyPackage:
    return moved_public(public, tweaked(public), bytes(32))


def assert_output(public: PublicKeyPackage, expected: Row) -> None:
    public.check()
    assert public.group_key == unhex(expected["threshPk"])
    assert [point for _, point in public.public_shares] == [*map(unhex, expected["pubshares"])]


def certified(params: Params, agreed: bytes, signatures: list[bytes]) -> None:
    """Demand a signature of each participant, with our certificate."""

    def verify_one(index: int, message: bytes, signature: bytes) -> None:
        bip340.verify(params.hosts[index][1:], certificate_message(index, message), signature)

    Certificate(agreed, tuple(enumerate(signatures))).verify(range(params.n), verify_one)


def opened(
    host: bytes, index: int, params: Params, padded: bytes, nonces: list[bytes]
) -> SecretBytes:
    """Take the pads off the sum of the shares for one participant."""
    pads = total([*pads_of(host, index, nonces, params)])
    share = SECP256K1.parse_scalar(padded)
    return SecretBytes(SECP256K1.add_scalars(share, SECP256K1.negate_scalar(pads)))


def second(us: Dealer, heard: Broadcast) -> KeyShare:
    """Check what the coordinator said as in `participant_step2`, and give our tweaked share."""
    params, me = us.params, us.index
    if heard.constants[me] != us.polynomial.commitments()[0] or heard.nonces[me] != us.nonce:
        raise Refused("FaultyCoordinatorError")
    for i in range(params.n):
        try:
            (constant,) = parse_commitment(SECP256K1, 1, [heard.constants[i]])
            SECP256K1.parse_point(heard.nonces[i])
        except BadEncoding:
            raise Refused("FaultyParticipantOrCoordinatorError", i) from None
        if not proven(constant, i, heard.pops[i]):
            raise Refused("FaultyParticipantOrCoordinatorError", i)
    secret = opened(us.host, me, params, heard.padded[me], heard.nonces)
    try:
        verify_share(SECP256K1, heard.sum, me + 1, secret)
    except ShareMismatch:
        raise Refused("UnknownFaultyParticipantOrCoordinatorError") from None
    return share_of(me + 1, secret, public_of_sum(params, heard.sum))


def investigate(us: Dealer, heard: Broadcast, told: bytes) -> None:
    """Find out who is to blame as in `participant_investigate`. Raises: Refused, always."""
    params, me = us.params, us.index
    padded, points = pieces(told[: 32 * params.n], 32), pieces(told[32 * params.n :], 33)
    if total(padded) != heard.padded[me]:
        raise Refused("FaultyCoordinatorError")
    partial = {j: (SECP256K1.parse_point(point),) for j, point in enumerate(points, start=1)}
    if SECP256K1.sum(p for (p,) in partial.values()) != commitment_at(SECP256K1, heard.sum, me + 1):
        raise Refused("FaultyCoordinatorError")
    pads = pads_of(us.host, me, heard.nonces, params)
    shares = {
        j: SecretBytes(total([share, SECP256K1.negate_scalar(pad)]))
        for j, (share, pad) in enumerate(zip(padded, pads, strict=True), start=1)
    }
    # A commitment to a constant is its value anywhere.
    for j in find_bad_shares(me + 1, shares, fits(SECP256K1, partial)):
        if j == me + 1:
            raise Refused("FaultyCoordinatorError")
        raise Refused("FaultyParticipantOrCoordinatorError", j - 1)


# Keys and parameters


@cases("hostpubkey_gen", "valid")
def test_host_keys(row: Row) -> None:
    secret = SECP256K1.parse_nonzero_scalar(unhex(row["hostseckey"]))
    assert SECP256K1.base(secret) == unhex(row["expectedHostpubkey"])


@cases(
    "hostpubkey_gen participant_step1 recover",
    "error",
    "host secret key is",
    "length of host secret key",
    "zeroed host secret key",
    "invalid hostseckey",
)
def test_bad_host_secrets_are_no_scalars(row: Row) -> None:
    with pytest.raises(BadEncoding):
        SECP256K1.parse_nonzero_scalar(unhex(row["hostseckey"]))


@cases("params_hash", "valid")
def test_parameters_are_hashed(row: Row) -> None:
    digest = hashed("params_hash", params_of(row).context)
    assert digest == unhex(row["expectedParamsHash"])


@cases("params_hash participant_step1 coordinator_step1", "error", "threshold")
def test_impossible_thresholds_are_refused(row: Row) -> None:
    params = params_of(row)
    party: Any = SimpleNamespace(me=1, parties=tuple(range(1, params.n + 1)))
    with pytest.raises(ValueError, match="threshold"):
        generate(party, KeygenParameters(SECP256K1, params.t, b""), stream("x")).send(None)


@cases("params_hash participant_step1 coordinator_step1", "error", "list contains an in")
def test_bad_host_keys_are_no_points(row: Row) -> None:
    bad = set()
    for i, key in enumerate(params_of(row).hosts):
        try:
            SECP256K1.parse_point(key)
        except BadEncoding:
            bad.add(i)
    assert bad == {row["expectedError"]["participantId"]}


# Dealing


@cases("participant_step1", "valid")
def test_dealings(row: Row) -> None:
    us = dealer(row)
    assert us.first().write() == unhex(row["expectedPmsg1"])
    points = parse_commitment(SECP256K1, us.params.t, us.first().points)
    assert points == us.polynomial.commitments()
    for j in range(1, us.params.n + 1):
        verify_share(SECP256K1, points, j, us.polynomial.evaluate(j))


@cases("coordinator_step1", "valid")
def test_sums_of_commitments(row: Row) -> None:
    params = params_of(row)
    messages = [First.read(unhex(row["pmsg1Pool"][at]), params) for at in row["pmsg1Indices"]]
    assert coordinated(messages, dealt(params, messages)).write() == unhex(row["expectedCmsg1"])


@cases("coordinator_step1", "valid")
def test_commitments_of_another_length_are_refused(row: Row) -> None:
    params = params_of(row)
    points = First.read(unhex(row["pmsg1Pool"][row["pmsg1Indices"][0]]), params).points
    for wrong in (points[:-1], [*points, points[0]]):
        with pytest.raises(BadEncoding):
            parse_commitment(SECP256K1, params.t, wrong)


# Shares


@cases("participant_step2", "valid")
def test_shares_fit_the_sum_of_commitments(row: Row) -> None:
    us = dealer(row)
    heard = Broadcast.read(unhex(row["cmsg1"]), us.params)
    second(us, heard).check()
    message = certificate_message(us.index, equality_input(us.params, heard))
    signature = sign("BIP0340", us.host, message, unhex(row["auxRand"]))
    assert signature == unhex(row["expectedPmsg2"])


@cases("participant_step2", "error", "list has", "terms has", "sent an invalid secshare")
def test_what_does_not_fit_names_whom_it_can(row: Row) -> None:
    us = dealer(row)
    with pytest.raises(Refused) as refused:
        second(us, Broadcast.read(unhex(row["cmsg1"]), us.params))
    assert refused.value.verdict == verdict(row)


@cases("coordinator_investigate", "valid")
def test_each_dealer_s_commitment_gives_its_part_of_a_public_share(row: Row) -> None:
    params = params_of(row)
    messages = [First.read(unhex(text), params) for text in row["pmsgs1"]]
    points = dealt(params, messages)
    for i, told in enumerate(row["expectedCinvMsgs"]):
        parts = [commitment_at(SECP256K1, commitment, i + 1) for commitment in points.values()]
        assert b"".join((*(m.padded[i] for m in messages), *parts)) == unhex(told)


@cases("participant_investigate", "error")
def test_the_dealer_of_a_bad_share_is_found(row: Row) -> None:
    us = dealer(row)
    heard = Broadcast.read(unhex(row["cmsg1Pool"][row["cmsg1Index"]]), us.params)
    with pytest.raises(Refused, match="Unknown"):
        second(us, heard)
    with pytest.raises(Refused) as refused:
        investigate(us, heard, unhex(row["cinvMsg"]))
    assert refused.value.verdict == verdict(row)


# The key, and its certificate


@cases("coordinator_finalize", "valid")
def test_the_key_comes_from_all_commitments(row: Row) -> None:
    params = params_of(row)
    messages = [First.read(unhex(text), params) for text in row["pmsgs1"]]
    points = dealt(params, messages)
    heard = coordinated(messages, points)
    assert heard.write() == unhex(row["cmsg1"])
    party: Any = SimpleNamespace(parties=tuple(range(1, params.n + 1)))
    agreed = KeygenParameters(SECP256K1, params.t, b"")
    public = dkg.public_of(party, agreed, points, bytes(32))  # as our key generation computes it
    assert public == public_of_sum(params, heard.sum)
    expected = row["expectedOutput"]
    assert_output(output_of(public), expected["dkgOutput"])
    signatures = [unhex(row["pmsg2Pool"][at]) for at in row["pmsg2Indices"]]
    certified(params, equality_input(params, heard), signatures)
    assert b"".join(signatures) == unhex(expected["cmsg2"])
    said = equality_input(params, heard) + b"".join(signatures)
    assert said == unhex(expected["recoveryData"])


@cases("coordinator_finalize", "error")
def test_a_certificate_needs_one_valid_signature_of_each(row: Row) -> None:
    params = params_of(row)
    agreed = equality_input(params, Broadcast.read(unhex(row["cmsg1"]), params))
    signatures = [unhex(row["pmsg2Pool"][at]) for at in row["pmsg2Indices"]]
    entries = "entries" in row["comment"]
    with pytest.raises(CertificateIncomplete if entries else InvalidSignature):
        certified(params, agreed, signatures)
    if not entries:  # it is the second one, and no other
        for i in set(range(params.n)) - {1}:
            message = certificate_message(i, agreed)
            bip340.verify(params.hosts[i][1:], message, signatures[i])


@cases("participant_finalize", "valid")
def test_the_share_fits_its_public_share(row: Row) -> None:
    us = dealer(row)
    heard = Broadcast.read(unhex(row["cmsg1"]), us.params)
    expected, signatures = row["expectedOutput"], unhex(row["cmsg2"])
    agreed = equality_input(us.params, heard)
    certified(us.params, agreed, pieces(signatures, 64))
    share = second(us, heard)
    share.check()
    assert share.secret == SecretBytes(unhex(expected["dkgOutput"]["secshare"]))
    assert_output(share.public, expected["dkgOutput"])
    assert agreed + signatures == unhex(expected["recoveryData"])


@cases("participant_finalize", "error")
def test_other_certificates_are_refused(row: Row) -> None:
    params = params_of(row)
    agreed = equality_input(params, Broadcast.read(unhex(row["cmsg1"]), params))
    data = unhex(row["cmsg2"])
    cut = [data[at : at + 64] for at in range(0, len(data), 64)]
    with pytest.raises((CertificateIncomplete, InvalidSignature)):
        certified(params, agreed, cut)


# Recovery


def recover(data: bytes, host: bytes | None) -> tuple[Params, PublicKeyPackage, Scalar | None]:
    """Read what was stored, and compute the key from it again."""
    t, rest = int.from_bytes(data[:4], "big"), data[4:]
    together, rest = pieces(rest[: 33 * t], 33), rest[33 * t :]
    n = len(rest) // 162
    hosts, nonces = pieces(rest[: 33 * n], 33), pieces(rest[33 * n : 66 * n], 33)
    padded, signatures = pieces(rest[66 * n : 98 * n], 32), pieces(rest[98 * n :], 64)
    params = Params(t, tuple(map(SECP256K1.parse_point, hosts)))
    summed = parse_commitment(SECP256K1, t, together)
    for each in padded:
        SECP256K1.parse_scalar(each)
    heard = Broadcast([summed[0]], [*summed[1:]], [], nonces, padded)
    certified(params, equality_input(params, heard), signatures)
    public = public_of_sum(params, summed)
    if host is None:
        return params, output_of(public), None
    me = hosts.index(SECP256K1.base(SECP256K1.parse_nonzero_scalar(host)))
    secret = opened(host, me, params, padded[me], nonces)
    share = share_of(me + 1, secret, public)
    share.check()
    return params, share.public, Scalar(bytes(share.secret.view()))


@cases("recover", "valid")
def test_keys_are_recovered(row: Row) -> None:
    host = None if row["hostseckey"] is None else unhex(row["hostseckey"])
    params, public, secret = recover(unhex(row["recoveryData"]), host)
    expected = row["expectedOutput"]
    assert params == Params.of(expected["params"])
    assert_output(public, expected["dkgOutput"])
    wanted = expected["dkgOutput"]["secshare"]
    assert secret == (None if wanted is None else unhex(wanted))


@cases("recover", "error", "is invalid", "was tampered with")
def test_altered_recovery_data_are_refused(row: Row) -> None:
    with pytest.raises((BadEncoding, InvalidSignature)):
        recover(unhex(row["recoveryData"]), None)


LEFT_OUT = {
    "params_hash": "duplicate values",
    "participant_step1": "duplicate values|doesn't match|randomness",
    "coordinator_step1": "duplicate values|pmsg|enc_shares|missing simplpedpop",
    "participant_step2": "aux randomness|hostseckey|missing encrypted",
    "recover": "invalid length|invalid threshold|doesn't match",
}


def test_no_other_case_is_left_out() -> None:
    for path in HERE.glob("*.json"):
        name = path.name.removesuffix("_vectors.json")
        data = load(name)
        rows = {
            case["tcId"]: case["comment"]
            for group in data.get("testGroups", [data])
            for case in (*group.get("validTestCases", []), *group["errorTestCases"])
        }
        left = [rows[at] for at in rows if at not in SEEN[name]]
        allowed = LEFT_OUT.get(name, "$").split("|")
        assert [c for c in left if not any(text in c for text in allowed)] == []
