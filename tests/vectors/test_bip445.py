"""BIP 445 (draft): all cases of nonces, signing, verification, tweaks and aggregation."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.protocols.derivation import DegenerateTweak, TweakContext
from console.protocols.frost import (
    FROST_TAPROOT,
    Commitment,
    PackageMismatch,
    ShareInvalid,
    SignatureShare,
    SigningNonces,
    bip340,
)
from console.protocols.frost.bip445 import (
    SigningSession,
    combine,
    sign_deterministically,
    sign_share,
    verify_share,
)
from console.protocols.frost.bip445_nonces import aggregate_nonces, generate_nonces
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.group import BadEncoding, Point
from console.protocols.math.secp256k1 import SECP256K1

HERE = Path(__file__).parent / "bip445-frost-signing"

Case = tuple[dict[str, Any], dict[str, Any]]

unhex = bytes.fromhex

# The reason of the vectors, and what ours says of the same thing.
REASONS = {
    "The signer's id must be present": "other signers",
    "The participant identifier at index": "unknown",
    "The participant identifier list contains duplicate": "repeated",
    "The number of signers must be between": "fewer signers|repeated|unknown",
    "Invalid pubshare": "malformed",
    "The provided key material is incorrect": "do not make the group key",
    "The signer's pubshare must be included": "does not fit its public share|do not make",
    "first secnonce value": "scalar is zero",
    "second secnonce value": "scalar is zero",
    "The signer's secret share value": "scalar is zero|not below",
    "aggnonce": "aggregate nonce is malformed",
    "aggothernonce": "commitment is not a valid point",
    "The tweak value is out of range": "not below the order",
    "The tweak must be a 32-byte array": "32 bytes",
    "The result of tweaking cannot be infinity": "identity",
    "The tweaks and is_xonly arrays": "zip",
}


def reason(case: dict[str, Any]) -> str:
    theirs = case["error"].get("message") or case["error"]["contrib"]
    (ours,) = {ours for start, ours in REASONS.items() if theirs.startswith(start)}
    return ours


def load(name: str) -> Any:
    return json.loads((HERE / f"{name}_vectors.json").read_text())


def cases(name: str, kind: str) -> Any:
    rows = [(group, case) for group in load(name)["test_groups"] for case in group.get(kind, [])]
    assert rows
    ids = [f"{group['tg_id']}-{case['tc_id']}" for group, case in rows]
    return pytest.mark.parametrize(("group", "case"), rows, ids=ids)


def commitment(text: str) -> Commitment:
    return Commitment(unhex(text)[:33], unhex(text)[33:])


def package(group: dict[str, Any], case: dict[str, Any]) -> PublicKeyPackage:
    """The key with all its parties, those of the case replaced by what the case says."""
    shares = {i + 1: unhex(group["pubshares"][i]) for i in range(group["n"])}
    for party, at in zip(case["ids"], case["pubshare_indices"], strict=True):
        if party + 1 in shares:
            shares[party + 1] = unhex(group["pubshares"][at])
    rows = tuple(sorted(shares.items()))
    return PublicKeyPackage("secp256k1", group["t"], unhex(group["thresh_pk"]), rows, bytes(32))


def context(group: dict[str, Any], case: dict[str, Any]) -> TweakContext:
    tweaks = case.get("tweaks")
    if tweaks is None:
        tweaks = [group["tweaks"][at] for at in case.get("tweak_indices", [])]
    result = TweakContext.of(SECP256K1, Point(unhex(group["thresh_pk"])))
    for tweak, x_only in zip(tweaks, case.get("is_xonly", []), strict=True):
        apply = result.apply_x_only if x_only else result.apply
        result = apply(SECP256K1.parse_scalar(unhex(tweak)))
    return result


def signers(case: dict[str, Any]) -> list[int]:
    return [party + 1 for party in case["ids"]]


def session(group: dict[str, Any], case: dict[str, Any]) -> SigningSession:
    return SigningSession.bind(
        package(group, case),
        signers(case),
        unhex(case["aggnonce"]),
        unhex(case["msg"]),
        context(group, case),
    )


def key_share(group: dict[str, Any], case: dict[str, Any]) -> KeyShare:
    secret = SecretBytes(unhex(group["secshares"][case["secshare_index"]]))
    return KeyShare(case["my_id"] + 1, secret, package(group, case))


def sign(group: dict[str, Any], case: dict[str, Any]) -> SignatureShare:
    secret = unhex(group["secnonces"][case["secnonce_index"]])
    nonces = SigningNonces(SecretBytes(secret[:32]), SecretBytes(secret[32:]), Commitment(b"", b""))
    return sign_share(key_share(group, case), nonces, session(group, case))


@pytest.mark.parametrize("case", load("nonce_gen")["valid_tests"], ids=lambda c: c["tc_id"])
def test_nonces_are_generated(case: dict[str, Any]) -> None:
    optional = {
        "public_share": unhex(case["pubshare"] or ""),
        "key": unhex(case["thresh_pk"] or ""),
        "extra": unhex(case["extra_in"] or ""),
        "message": None if case["msg"] is None else unhex(case["msg"]),
        "secret": None if case["secshare"] is None else SecretBytes(unhex(case["secshare"])),
    }
    nonces = generate_nonces(unhex(case["rand_"]), **optional)
    secret, public = map(unhex, case["expected"])
    assert nonces.commitment.hiding + nonces.commitment.binding == public
    assert b"".join(nonces.consume(FROST_TAPROOT)) == secret


@pytest.mark.parametrize("case", load("nonce_agg")["valid_tests"], ids=lambda c: c["tc_id"])
def test_nonces_are_aggregated(case: dict[str, Any]) -> None:
    every = load("nonce_agg")["pubnonces"]
    rows = [(i, commitment(every[i])) for i in case["pubnonce_indices"]]
    assert aggregate_nonces(rows) == unhex(case["expected"])


@pytest.mark.parametrize("case", load("nonce_agg")["error_tests"], ids=lambda c: c["tc_id"])
def test_invalid_nonces_name_their_signer(case: dict[str, Any]) -> None:
    every = load("nonce_agg")["pubnonces"]
    rows = [(at, commitment(every[i])) for at, i in enumerate(case["pubnonce_indices"])]
    with pytest.raises(PackageMismatch) as mismatch:
        aggregate_nonces(rows)
    assert mismatch.value.signers == {case["error"]["signer_index"]}


@cases("sign_verify", "valid_tests")
def test_shares_are_made_and_verified(group: dict[str, Any], case: dict[str, Any]) -> None:
    assert sign(group, case) == SignatureShare(unhex(case["expected"]))
    check_own(group, case)


@cases("tweak", "valid_tests")
def test_shares_of_tweaked_keys(group: dict[str, Any], case: dict[str, Any]) -> None:
    assert sign(group, case) == SignatureShare(unhex(case["expected"]))
    check_own(group, case)


def check_own(group: dict[str, Any], case: dict[str, Any]) -> None:
    pubnonces = [commitment(group["pubnonces"][at]) for at in case["pubnonce_indices"]]
    rows = dict(zip(signers(case), pubnonces, strict=True))
    assert aggregate_nonces(list(rows.items())) == unhex(case["aggnonce"])
    index = case["my_id"] + 1
    verify_share(session(group, case), index, rows[index], SignatureShare(unhex(case["expected"])))


@cases("sign_verify", "sign_error_tests")
def test_signing_is_refused(group: dict[str, Any], case: dict[str, Any]) -> None:
    with pytest.raises((PackageMismatch, BadEncoding), match=reason(case)):
        sign(group, case)


@cases("tweak", "error_tests")
def test_tweaks_are_refused(group: dict[str, Any], case: dict[str, Any]) -> None:
    with pytest.raises((BadEncoding, DegenerateTweak, ValueError), match=reason(case)):
        sign(group, case)


def verification(group: dict[str, Any], case: dict[str, Any]) -> None:
    pubnonces = [commitment(group["pubnonces"][at]) for at in case["pubnonce_indices"]]
    total = aggregate_nonces(list(enumerate(pubnonces)))
    bound = SigningSession.bind(package(group, case), signers(case), total, unhex(case["msg"]))
    at = case["signer_index"]
    verify_share(bound, signers(case)[at], pubnonces[at], SignatureShare(unhex(case["psig"])))


@cases("sign_verify", "verify_fail_tests")
def test_wrong_shares_do_not_verify(group: dict[str, Any], case: dict[str, Any]) -> None:
    with pytest.raises(ShareInvalid):
        verification(group, case)


@cases("sign_verify", "verify_error_tests")
def test_malformed_input_does_not_verify(group: dict[str, Any], case: dict[str, Any]) -> None:
    with pytest.raises(PackageMismatch) as mismatch:
        verification(group, case)
    blamed = case["error"].get("signer_index")
    assert mismatch.value.signers == (set() if blamed is None else {blamed})


@cases("sig_agg", "valid_tests")
def test_shares_make_a_signature(group: dict[str, Any], case: dict[str, Any]) -> None:
    bound = session(group, case)
    shares = [SignatureShare(unhex(text)) for text in case["psigs"]]
    signature = combine(bound, dict(zip(signers(case), shares, strict=True)))
    assert signature == unhex(case["expected"])
    bip340.verify(bound.context.Q[1:], bound.message, signature)


@cases("sig_agg", "error_tests")
def test_shares_that_make_no_signature(group: dict[str, Any], case: dict[str, Any]) -> None:
    bound = session(group, case)
    shares = [SignatureShare(unhex(text)) for text in case["psigs"]]
    given = dict(zip(signers(case), shares, strict=False))
    with pytest.raises((ShareInvalid, PackageMismatch)) as refused:
        combine(bound, given)
    blamed = case["error"].get("signer_index")
    if blamed is not None:
        assert f"signer {signers(case)[blamed]} " in str(refused.value)


def deterministic(group: dict[str, Any], case: dict[str, Any]) -> tuple[Commitment, SignatureShare]:
    return sign_deterministically(
        key_share(group, case),
        None if case["aggothernonce"] is None else unhex(case["aggothernonce"]),
        signers(case),
        unhex(case["msg"]),
        None if case["rand"] is None else unhex(case["rand"]),
        context(group, case),
    )


@cases("det_sign", "valid_tests")
def test_deterministic_signing(group: dict[str, Any], case: dict[str, Any]) -> None:
    nonce, share = deterministic(group, case)
    assert (nonce, share) == (
        commitment(case["expected"][0]),
        SignatureShare(unhex(case["expected"][1])),
    )


@cases("det_sign", "error_tests")
def test_deterministic_signing_is_refused(group: dict[str, Any], case: dict[str, Any]) -> None:
    with pytest.raises((PackageMismatch, BadEncoding, DegenerateTweak), match=reason(case)):
        deterministic(group, case)
