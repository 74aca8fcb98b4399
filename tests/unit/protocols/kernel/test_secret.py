import copy
import dataclasses
import pickle

import pytest

from console.protocols.kernel.secret import SecretBytes, SecretCopied, SecretWiped


def test_secret_never_shows_itself() -> None:
    secret = SecretBytes(b"\x41" * 32)
    for text in (repr(secret), str(secret), f"{secret}", f"{secret:>60}", f"{secret!r}"):
        assert text == "<SecretBytes 32 bytes>"
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
        lambda s: dataclasses.asdict(dataclasses.make_dataclass("Holder", ["s"])(s)),
    ],
    ids=["copy", "deepcopy", "pickle", "asdict"],
)
def test_secret_cannot_be_duplicated(duplicate) -> None:
    with pytest.raises(SecretCopied):
        duplicate(SecretBytes(b"key"))


def test_secret_takes_over_a_bytearray() -> None:
    source = bytearray(b"secret")
    secret = SecretBytes(source)
    assert source == bytes(6)
    assert secret.reveal() == b"secret"
    assert len(secret) == 6


def test_secret_is_zero_and_unusable_after_wipe() -> None:
    secret = SecretBytes(b"secret")
    view = secret.view()
    secret.wipe()
    secret.wipe()
    assert secret.wiped
    assert view == bytes(6)
    for use in (secret.view, secret.reveal, secret.__enter__):
        with pytest.raises(SecretWiped):
            use()
    with pytest.raises(SecretWiped):
        _ = secret == SecretBytes(b"secret")


def test_secret_counts_as_wiped_before_it_reads_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = SecretBytes(b"secret")
    seen = []

    def zeros(size: int) -> bytes:
        seen.append((secret.wiped, bytes(window)))
        return bytes(size)

    window = secret.view()
    # Another thread may run whenever a function is called.
    monkeypatch.setattr("console.protocols.kernel.secret.bytes", zeros, raising=False)
    secret.wipe()
    assert seen == [(True, b"secret")]
    assert window == bytes(6)


def test_secret_is_wiped_when_its_block_ends() -> None:
    secret = SecretBytes(b"secret")
    with secret as view:
        assert bytes(view) == b"secret"
    assert secret.wiped


def test_secret_is_filled_in_place() -> None:
    secret = SecretBytes.zeros(4)
    secret.view()[:] = b"abcd"
    assert secret == SecretBytes(b"abcd")


def test_secret_equality_is_by_value_between_secrets_only() -> None:
    secret = SecretBytes(b"abcd")
    assert secret == SecretBytes(b"abcd")
    assert secret != SecretBytes(b"abce")
    assert secret != SecretBytes(b"abcde")
    assert secret != b"abcd"


def test_secret_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(SecretBytes(b"x"))
