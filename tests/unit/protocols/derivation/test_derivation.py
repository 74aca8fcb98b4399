import hmac
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.derivation import (
    HARDENED,
    DegenerateTweak,
    ExtendedPublicKey,
    PathRefused,
    TweakContext,
    bip32,
    derive,
    derive_public,
    parse_path,
    tap_tweak,
    tap_tweak_public,
    tap_tweak_scalar,
    taproot,
)
from console.protocols.derivation.path import MAX_DEPTH, check_path
from console.protocols.derivation.xpub import TESTNET, BadExtendedKey
from console.protocols.frost import FROST_ED25519, FROST_SECP256K1, FROST_TAPROOT, Suite, sign_with
from console.protocols.keygen.share import KeyShare
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Group
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.keys import dealt
from tests.adversary.network import Network, stream

GROUPS = pytest.mark.parametrize("group", [ED25519, SECP256K1], ids=lambda group: group.name)
SUITES = pytest.mark.parametrize(
    "suite", [FROST_ED25519, FROST_SECP256K1, FROST_TAPROOT], ids=lambda suite: suite.name
)


def sign_with_two(suite: Suite, keys: dict[int, KeyShare]) -> bytes:
    network = Network(
        {i: lambda p, i=i: sign_with(suite, p, keys[i], b"m", stream(f"d/{i}")) for i in (1, 3)}
    ).deliver()
    (signature,) = set(network.outcomes.values())
    return signature


@SUITES
def test_derived_shares_sign_for_the_derived_key(suite: Suite) -> None:
    parents = dealt(2, 3, "derive", suite.group)
    children = {i: derive(share, (44, 0, 7)) for i, share in parents.items()}
    for child in children.values():
        child.check()
    public = derive_public(parents[1].public, (44, 0, 7))
    assert {child.public for child in children.values()} == {public}
    assert public.group_key != parents[1].public.group_key
    assert public.chain_code != parents[1].public.chain_code
    suite.verify(public.group_key, b"m", sign_with_two(suite, children))


@GROUPS
def test_walking_a_path_is_walking_its_steps(group: Group) -> None:
    share = dealt(2, 3, "walk", group)[2]
    at_once = derive(share, (1, 2))
    assert at_once == derive(derive(share, (1,)), (2,))
    assert at_once != derive(share, (2, 1))
    assert derive(share, ()) == share
    assert derive(share, ()).secret is not share.secret


@pytest.mark.parametrize("seed", ["odd-0", "odd-1", "odd-2", "odd-3", "odd-4", "odd-5"])
def test_tap_tweaked_shares_sign_for_the_output_key(seed: str) -> None:
    parents = dealt(2, 3, seed, SECP256K1)
    for root in (None, b"\x07" * 32):
        tapped = {i: tap_tweak(derive(share, (5,)), root) for i, share in parents.items()}
        for share in tapped.values():
            share.check()
        public = tap_tweak_public(derive_public(parents[1].public, (5,)), root)
        assert {share.public for share in tapped.values()} == {public}
        FROST_TAPROOT.verify(public.group_key, b"m", sign_with_two(FROST_TAPROOT, tapped))


def test_seeds_above_cover_keys_of_both_parities() -> None:
    keys = [derive_public(dealt(2, 3, f"odd-{n}", SECP256K1)[1].public, (5,)) for n in range(6)]
    assert {key.group_key[0] for key in keys} == {2, 3}


def test_a_script_tree_changes_the_output_key() -> None:
    public = dealt(2, 3, "tree", SECP256K1)[1].public
    keys = {tap_tweak_public(public, root).group_key for root in (None, bytes(32), b"\x01" * 32)}
    assert len(keys) == 3
    for size in (0, 31, 33):
        with pytest.raises(ValueError, match="32"):
            tap_tweak_public(public, bytes(size))


def test_only_secp256k1_has_taproot_keys() -> None:
    share = dealt(2, 3)[1]
    with pytest.raises(ValueError, match="Taproot"):
        tap_tweak(share, None)


@GROUPS
@pytest.mark.parametrize("path", [(HARDENED,), (0, HARDENED + 1), (-1,), (0,) * (MAX_DEPTH + 1)])
def test_paths_that_shares_cannot_walk_are_refused(group: Group, path: tuple[int, ...]) -> None:
    share = dealt(2, 3, "hard", group)[1]
    with pytest.raises(PathRefused):
        derive(share, path)
    with pytest.raises(PathRefused):
        derive_public(share.public, path)


NOT_PATHS = """| m/ | 0/1 | M/0 | m/0' | m/44h/0 | m/1H | m/-1 | m/+1 | m/01 | m/ 1 | m//1
| m/2147483648 | m/99999999999 | m/\u0663 | m/0/m | m/0\n"""


@pytest.mark.parametrize("text", [text.removesuffix(" ") for text in NOT_PATHS.split("| ")])
def test_texts_that_are_not_unhardened_paths_are_refused(text: str) -> None:
    with pytest.raises(PathRefused):
        parse_path(text)


@pytest.mark.parametrize("text", ["m/0'", "m/44h/0", "m/1H"])
def test_hardened_steps_are_refused_for_what_they_are(text: str) -> None:
    with pytest.raises(PathRefused, match="hardened"):
        parse_path(text)


def test_paths_are_read() -> None:
    assert len(check_path((HARDENED - 1,) * MAX_DEPTH)) == MAX_DEPTH
    assert parse_path("m") == ()
    assert parse_path("m/0/2147483647/12") == (0, HARDENED - 1, 12)


def test_tweak_that_is_not_below_the_order_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    share = dealt(2, 3, "degenerate", SECP256K1)[1]
    monkeypatch.setattr(hmac, "digest", lambda *_: b"\xff" * 64)
    with pytest.raises(DegenerateTweak):
        derive(share, (1,))
    monkeypatch.setattr(taproot, "tagged_hash", lambda *_: b"\xff" * 32)
    with pytest.raises(DegenerateTweak):
        tap_tweak(share, None)


@pytest.mark.parametrize("victim", ["key", "share"])
def test_tweak_that_leads_to_the_identity_is_refused(
    monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    share = dealt(1 if victim == "key" else 2, 3, "degenerate", SECP256K1)[1]
    minus = SECP256K1.negate_scalar(SECP256K1.secret_scalar(share.secret))
    monkeypatch.setattr(bip32.hmac, "digest", lambda *_: minus + bytes(32))
    with pytest.raises(DegenerateTweak, match="key is" if victim == "key" else "share"):
        derive(share, (1,))


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2**256)), max_size=5))
@settings(max_examples=30, deadline=None)
def test_context_tells_the_secret_of_the_tweaked_key(tweaks: list[tuple[bool, int]]) -> None:
    secret = SECP256K1.scalar(12345)
    context = TweakContext.of(SECP256K1, SECP256K1.base(secret))
    for x_only, value in tweaks:
        apply = context.apply_x_only if x_only else context.apply
        context = apply(SECP256K1.scalar(value))
    assert SECP256K1.base(context.scalar(secret)) == context.Q
    assert context.points((SECP256K1.base(secret),)) == (context.Q,)


def test_tweaks_depend_on_key_chain_code_and_index() -> None:
    public = dealt(2, 3, "depend", ED25519)[1].public
    other = dealt(2, 3, "other", ED25519)[1].public
    variants = {
        derive_public(public, (0,)).group_key,
        derive_public(public, (1,)).group_key,
        derive_public(replace(public, chain_code=b"\x01" * 32), (0,)).group_key,
        derive_public(other, (0,)).group_key,
    }
    assert len(variants) == 4


def test_extended_keys_know_their_network_and_their_depth() -> None:
    key = ExtendedPublicKey(SECP256K1.generator, bytes(32))
    text = key.encode(TESTNET)
    assert text.startswith("tpub")
    assert ExtendedPublicKey.decode(text, TESTNET) == key
    for wrong in (text, "", "x" * 113, "0", "z" * 112, text[:-1] + "1"):
        with pytest.raises(BadExtendedKey):
            ExtendedPublicKey.decode(wrong)
    with pytest.raises(PathRefused):
        replace(key, depth=MAX_DEPTH).child(0)
    with pytest.raises(PathRefused):
        key.child(HARDENED)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0" * 112, "length"),
        ("1" * 110, "length"),
        ("", "length"),
        ("z" * 111, "checksum"),
        ("x" * 110 + "0", "base 58"),
        ("1" + ExtendedPublicKey(SECP256K1.generator, bytes(32)).encode(), "length"),
    ],
)
def test_texts_that_are_no_extended_keys_are_refused_for_what_they_are(
    text: str, reason: str
) -> None:
    """A long text is refused before it is read: reading takes time with the square of its size."""
    with pytest.raises(BadExtendedKey, match=reason):
        ExtendedPublicKey.decode(text)


def test_taproot_tweak_commits_to_x_alone() -> None:
    point = SECP256K1.generator
    assert tap_tweak_scalar(point, None) == tap_tweak_scalar(SECP256K1.negate(point), None)
