"""A vault in AWS KMS: what opens a share, what does not, and a service that goes away.

Over moto's server (`tests/kms.py` says what it does not enforce); nothing ran against AWS.
"""

import asyncio
import base64
import hashlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.loaders import Loader
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.application.api import CommandRefused
from console.application.commands import Unlock
from console.application.console_service import ConsoleService
from console.application.errors import (
    HsmError,
    KeyCheckFailed,
    PinLocked,
    SealBroken,
    TokenMissing,
    VaultLocked,
    WrongPin,
)
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import HeadAnchor
from console.application.queries.session import session_view
from console.application.views import NodeState
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import decode_share_record, share_associated_data
from console.sealing.sealer import SEAL_OVERHEAD
from hsm.kms import KmsSettings, KmsVault
from hsm.kms.calls import CallTimes
from hsm.kms.client import KmsClient
from hsm.kms.context import LABEL as LABEL_KEY
from hsm.kms.context import MEMBER, context_of
from hsm.kms.lock_file import LOCK_FILE
from hsm.signed_files import HEAD_FILE, RECORD_FILE
from tests.contract.vaults import Clock
from tests.integration.test_token_away import built, in_state
from tests.kms import ACCOUNT, REGION, SECRET_ACCESS_KEY, MotoKms, provisioned

PASSPHRASE = b"482913"
LABEL = ShareLabel(WalletId("wl-1"), MemberId("alice"), SignatureKind.EDDSA_ED25519, 1)
SHARE = b"a share of a group key, thirty-two"
SOON = CallTimes(connect_s=0.3, read_s=0.3, attempts=1)
FOREIGN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"


@pytest.fixture
def settings(kms: MotoKms, tmp_path: Path) -> KmsSettings:
    return provisioned(kms, tmp_path, PASSPHRASE)


@pytest.fixture
async def vault(settings: KmsSettings) -> AsyncIterator[KmsVault]:
    vault = KmsVault(settings, now_ms=Clock())
    yield vault
    await vault.close()


async def unlock(vault: KmsVault) -> None:
    await vault.unlock(SecretBytes(PASSPHRASE))


async def unlock_and_wrap(vault: KmsVault) -> None:
    await unlock(vault)
    await vault.wrapping.wrap("ledger", SecretBytes(bytes(32)))


async def unlock_and_read(vault: KmsVault) -> None:
    await unlock(vault)
    await vault.anchor.read()


def key_of(arn: str) -> str:
    return arn.rpartition("/")[2]


async def test_it_is_for_tests_only_at_an_endpoint_that_is_not_aws(vault: KmsVault) -> None:
    status = await vault.status()
    assert (status.kind, status.model) == ("kms", "AWS KMS")
    assert status.for_tests_only
    assert "for tests only" in status.backing
    assert "an old copy of the whole directory" in status.backing


async def test_at_aws_it_is_unproven_until_the_operator_accepts_that(
    settings: KmsSettings,
) -> None:
    for accepted in (False, True):
        own = replace(
            settings,
            place=replace(settings.place, endpoint_url=""),
            accept_unproven=accepted,
            connect=lambda _place, times: KmsClient(settings.place, times),
        )
        vault = KmsVault(own)
        status = await vault.status()
        assert status.present
        assert not status.for_tests_only
        assert status.unproven is not accepted
        assert "not run against the real service" in status.backing
        await vault.close()


async def test_kms_is_given_no_key_and_a_context_of_member_and_label(
    kms: MotoKms, vault: KmsVault, settings: KmsSettings
) -> None:
    await unlock(vault)
    kms.calls.clear()
    share = SecretBytes(b"s" * 160_000)
    await vault.shares.seal(LABEL, share)
    assert set(kms.operations()) == {"Encrypt", "Decrypt"}
    contexts, given = set(), []
    for operation, asked in kms.calls:
        if operation == "Encrypt":
            given.append(base64.b64decode(asked["Plaintext"]))
            assert len(given[-1]) == 32 + SEAL_OVERHEAD
        context = asked["EncryptionContext"]
        assert set(context) == {MEMBER, LABEL_KEY}
        assert context[MEMBER] == "alice"
        assert len(context[LABEL_KEY]) == 64
        contexts.add(context[LABEL_KEY])
    assert len(contexts) == 1
    # With the disk, what KMS was given opens nothing: the lock file's key is between.
    stored = decode_share_record(next((settings.folder / "shares").glob("*.share")).read_bytes())
    length = int.from_bytes(stored.sealed[1:3], "big")
    rest = stored.sealed[3 + length :]
    for key in (given[0][:32], given[0][12:44], given[0][-32:]):
        with pytest.raises(InvalidTag):
            AESGCM(key).decrypt(rest[:12], rest[12:], share_associated_data(LABEL, stored.version))
    other = replace(LABEL, epoch=2)
    kms.calls.clear()
    await vault.shares.seal(other, SecretBytes(SHARE))
    assert kms.calls[0][1]["EncryptionContext"][LABEL_KEY] not in contexts


async def test_a_share_put_under_another_label_does_not_open(
    settings: KmsSettings, vault: KmsVault
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    (record,) = (settings.folder / "shares").glob("*.share")
    other = replace(LABEL, epoch=2)
    await vault.shares.seal(other, SecretBytes(SHARE))
    (second,) = set((settings.folder / "shares").glob("*.share")) - {record}
    # The other record's header with this one's envelope: the label is right, the seal is not.
    size = 3 + int.from_bytes(record.read_bytes()[1:3], "big")
    second.write_bytes(second.read_bytes()[:size] + record.read_bytes()[size:])
    with pytest.raises(SealBroken):
        await vault.shares.unseal(other)
    assert await vault.shares.unseal(LABEL) == SecretBytes(SHARE)


async def test_kms_refuses_another_context(settings: KmsSettings) -> None:
    """This relies on moto, which binds the context as AWS documents it."""
    client = KmsClient(settings.place, settings.times)
    alice, other = context_of(settings.member, b"label"), context_of(settings.member, b"other")
    wrapped = client.encrypt(alice, bytes(32))
    assert client.decrypt(alice, wrapped) == bytes(32)
    assert client.decrypt(other, wrapped) is None
    assert client.decrypt(context_of(MemberId("bob"), b"label"), wrapped) is None
    assert client.decrypt(alice, wrapped[:-1]) is None
    assert client.decrypt(alice, b"") is None
    assert client.decrypt(alice, bytes(5000)) is None


@pytest.mark.parametrize("operation", ["Encrypt", "Decrypt", "Sign", "GetPublicKey"])
@pytest.mark.parametrize("answered", [FOREIGN, "", None, "the-bare-identifier"])
async def test_an_answer_of_another_key_is_no_answer(
    kms: MotoKms, settings: KmsSettings, operation: str, answered: str | None
) -> None:
    vault = KmsVault(settings)
    kms.change[operation] = lambda answer: answer.update(KeyId=answered)
    with pytest.raises(KeyCheckFailed, match="another key"):
        await unlock_and_wrap(vault)
    del kms.change[operation]
    await unlock(vault)
    await vault.close()


async def test_a_foreign_key_in_the_settings_is_found_at_the_unlock(
    kms: MotoKms, settings: KmsSettings
) -> None:
    for change, words in (
        ({"identity_key": kms.key("identity")}, "identity key in AWS KMS is not the one"),
        ({"sealing_key": kms.key("sealing")}, "Decrypt"),
        ({"identity_key": kms.key("other-curve")}, "none of P-256"),
    ):
        place = replace(settings.place, **change)
        vault = KmsVault(replace(settings, place=place))
        with pytest.raises(HsmError, match=words):
            await unlock(vault)
        assert not (await vault.status()).unlocked
        await vault.close()


async def test_the_passphrase_alone_opens_nothing(
    kms: MotoKms, settings: KmsSettings, vault: KmsVault
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    kms.fail["Decrypt"] = ("AccessDeniedException", 400)
    with pytest.raises(HsmError, match="AccessDeniedException"):
        await vault.shares.unseal(LABEL)
    clock = Clock()
    locked = KmsVault(settings, now_ms=clock)
    for guess in (PASSPHRASE, b"000000"):
        # Without KMS nobody learns whether a guess is right, and none is counted.
        with pytest.raises(HsmError, match="AccessDeniedException"):
            await locked.unlock(SecretBytes(guess))
    assert (await locked.status()).retry_after_s == 0
    await locked.close()


async def test_kms_alone_opens_nothing(
    kms: MotoKms, settings: KmsSettings, vault: KmsVault
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    kms.calls.clear()
    await vault.shares.unseal(LABEL)
    ((_, asked),) = kms.calls
    wrapped = base64.b64decode(asked["CiphertextBlob"])
    # What KMS would open stands in no file: it is sealed once more.
    for path in settings.folder.rglob("*"):
        if path.is_file() and path.name != LOCK_FILE:
            assert wrapped not in path.read_bytes()
            assert wrapped[36:68] not in path.read_bytes()
    # The lock file does hold something for KMS, and what comes out needs the passphrase.
    lock = (settings.folder / LOCK_FILE).read_bytes()
    kms.calls.clear()
    await vault.verify_pin(SecretBytes(PASSPHRASE))
    ((_, asked),) = kms.calls
    assert lock.endswith(base64.b64decode(asked["CiphertextBlob"]))
    client = KmsClient(settings.place, settings.times)
    sealed = client.decrypt(asked["EncryptionContext"], base64.b64decode(asked["CiphertextBlob"]))
    assert sealed is not None
    assert len(sealed) == 12 + 32 + 16


async def test_two_vaults_with_the_same_keys_do_not_open_each_other(
    kms: MotoKms, settings: KmsSettings, vault: KmsVault, tmp_path: Path
) -> None:
    await unlock(vault)
    blob = await vault.wrapping.wrap("ledger", SecretBytes(bytes(32)))
    other = provisioned(kms, tmp_path / "other", PASSPHRASE)
    twin = KmsVault(replace(other, place=settings.place))
    # AWS documents IncorrectKeyException here; moto denies access. Neither is an opened lock.
    with pytest.raises(HsmError, match="Decrypt"):
        await unlock(twin)
    await twin.close()
    apart = KmsVault(other)
    await unlock(apart)
    with pytest.raises(SealBroken):
        await apart.wrapping.unwrap("ledger", blob)
    await apart.close()


@pytest.mark.parametrize("name", [LOCK_FILE, RECORD_FILE, HEAD_FILE])
async def test_every_altered_byte_of_the_files_is_found(settings: KmsSettings, name: str) -> None:
    path = settings.folder / name
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        vault = KmsVault(settings)
        with pytest.raises(HsmError):
            await unlock_and_read(vault)
        await vault.close()
    path.unlink()
    vault = KmsVault(settings)
    with pytest.raises(HsmError, match="missing"):
        await unlock_and_read(vault)
    await vault.close()


async def test_a_wrong_passphrase_is_counted_and_a_short_or_long_one_refused(
    settings: KmsSettings,
) -> None:
    vault = KmsVault(settings, now_ms=Clock())
    for wrong in (b"", b"x" * 1025):
        with pytest.raises(WrongPin):
            await vault.unlock(SecretBytes(wrong))
    with pytest.raises(WrongPin):
        await vault.unlock(SecretBytes(b"x"))
    with pytest.raises(PinLocked):
        await unlock(vault)
    await vault.close()


@pytest.mark.parametrize(
    ("code", "status", "lost"),
    [
        ("NotFoundException", 400, True),
        ("DisabledException", 400, True),
        ("KMSInvalidStateException", 400, True),
        ("AccessDeniedException", 400, True),
        ("ExpiredTokenException", 400, True),
        ("UnrecognizedClientException", 400, True),
        ("InvalidSignatureException", 400, True),
        ("ThrottlingException", 400, False),
        ("KMSInternalException", 500, False),
    ],
)
async def test_each_refusal_is_told_and_nothing_is_lost(
    kms: MotoKms, vault: KmsVault, code: str, status: int, lost: bool
) -> None:
    reasons: list[str] = []
    vault.on_lost(reasons.append)
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    head = HeadAnchor(7, bytes(32))
    await vault.anchor.write(head)
    kms.fail = {"Sign": (code, status), "Decrypt": (code, status), "DescribeKey": (code, status)}
    with pytest.raises(HsmError, match=f"Sign .*{REGION}.*{code}") as refused:
        await vault.anchor.write(HeadAnchor(8, bytes(32)))
    assert SECRET_ACCESS_KEY not in str(refused.value)
    seen = await vault.status()
    assert seen.unlocked is not lost
    assert [code in reason for reason in reasons] == [True] * lost
    if lost:
        assert not seen.present
        assert code in seen.backing
        with pytest.raises(HsmError, match=code):
            await unlock(vault)
    kms.fail = {}
    await unlock(vault)
    assert (await vault.status()).present
    assert await vault.shares.unseal(LABEL) == SecretBytes(SHARE)
    assert await vault.anchor.read() == head


async def test_throttled_calls_are_tried_again_before_they_fail(
    kms: MotoKms, vault: KmsVault
) -> None:
    await unlock(vault)
    kms.calls.clear()
    kms.fail["Sign"] = ("ThrottlingException", 400)
    with pytest.raises(HsmError, match="too many requests"):
        await vault.identity.sign(b"message")
    assert kms.operations() == ["Sign", "Sign"]


@pytest.mark.parametrize(
    ("state", "words"),
    [("Disabled", "DisabledException"), ("PendingDeletion", "KMSInvalidStateException")],
)
async def test_a_key_that_is_taken_away_locks_and_comes_back(
    kms: MotoKms, settings: KmsSettings, vault: KmsVault, state: str, words: str
) -> None:
    """Moto lets such keys be used; the refusal is played as AWS documents it."""
    await unlock(vault)
    key = kms.made()[key_of(settings.place.identity_key)]
    key.key_state = state
    with pytest.raises(HsmError, match=words):
        await vault.identity.sign(b"message")
    assert not (await vault.status()).unlocked
    later = KmsVault(settings)
    assert f"its state is {state}" in (await later.status()).backing
    await later.close()
    key.key_state = "Enabled"
    await unlock(vault)
    assert len(await vault.identity.sign(b"message")) == 64


async def test_a_stalled_service_is_given_up_and_comes_back(
    kms: MotoKms, settings: KmsSettings
) -> None:
    """boto3's own limits are longer here: the vault's limit for a whole call counts."""
    vault = KmsVault(replace(settings, call_limit_s=6.0, times=CallTimes(20.0, 60.0, 1)))
    reasons: list[str] = []
    vault.on_lost(reasons.append)
    await unlock(vault)
    kms.stall("Sign")
    with pytest.raises(HsmError, match="has not answered for 6 s while signing") as refused:
        await vault.identity.sign(b"message")
    assert reasons == [str(refused.value)]
    status = await vault.status()
    assert not status.unlocked
    assert not status.present
    assert status.backing == str(refused.value)
    for attempt in (vault.identity.sign(b"x"), unlock(vault), vault.anchor.read()):
        with pytest.raises(HsmError, match="has not answered"):
            await attempt
    await vault.lock()
    kms.before.clear()
    kms.go_on.set()
    await back(vault)
    assert len(await vault.identity.sign(b"message")) == 64
    await vault.close()


async def back(vault: KmsVault) -> None:
    """Unlock as soon as the late call has come back."""
    for _ in range(2000):
        try:
            await unlock(vault)
        except HsmError as refused:
            if "has not answered" not in str(refused):
                raise
            await asyncio.sleep(0.005)
        else:
            return


async def test_a_passphrase_is_not_tried_by_a_call_that_was_given_up(
    kms: MotoKms, settings: KmsSettings
) -> None:
    vault = KmsVault(replace(settings, call_limit_s=6.0, times=CallTimes(20.0, 60.0, 1)))
    reasons: list[str] = []
    vault.on_lost(reasons.append)
    kms.stall("Decrypt")
    with pytest.raises(HsmError, match="while unlocking"):
        await vault.unlock(SecretBytes(b"a wrong one"))
    assert reasons
    kms.before.clear()
    kms.go_on.set()
    await back(vault)
    assert (await vault.status()).retry_after_s == 0
    await vault.close()


async def test_a_wrong_clock_is_told(kms: MotoKms, vault: KmsVault) -> None:
    await unlock(vault)
    kms.fail["Sign"] = ("InvalidSignatureException", 400)
    with pytest.raises(HsmError, match="secret access key is wrong"):
        await vault.identity.sign(b"message")
    kms.fail.clear()
    await unlock(vault)
    kms.fail["Sign"] = ("InvalidSignatureException", 400)
    kms.date("Mon, 01 Jan 2001 00:00:00 GMT")
    with pytest.raises(HsmError, match="this machine's clock differs from that of AWS by"):
        await vault.identity.sign(b"message")


async def test_boto3_s_own_limits_end_a_call_that_stalls(
    kms: MotoKms, settings: KmsSettings
) -> None:
    vault = KmsVault(replace(settings, times=SOON))
    await unlock(vault)
    kms.stall("Sign")
    with pytest.raises(HsmError, match="ReadTimeoutError: no answer came in time"):
        await vault.identity.sign(b"message")
    assert not (await vault.status()).unlocked
    kms.go_on.set()
    await vault.close()


async def test_a_server_that_never_answers_does_not_hold_up_the_status(
    settings: KmsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsm.kms.looks.FIRST_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = replace(settings.place, endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        vault = KmsVault(replace(settings, place=place, times=CallTimes(1.0, 1.0, 1)))
        status = await vault.status()
        assert not status.present
        assert status.backing == "AWS KMS has not answered yet"
        with pytest.raises(HsmError, match=r"Decrypt .*ReadTimeoutError"):
            await unlock(vault)
        assert "ReadTimeoutError" in (await vault.status()).backing
        await vault.close()


async def test_a_network_that_is_lost_locks_and_comes_back(
    kms: MotoKms, settings: KmsSettings
) -> None:
    gone = replace(settings.place, endpoint_url="http://127.0.0.1:1")
    vault = KmsVault(replace(settings, place=gone, times=SOON))
    with pytest.raises(HsmError, match="is not reached"):
        await unlock(vault)
    status = await vault.status()
    assert not status.present
    assert status.retry_after_s == 0
    await vault.close()


async def test_a_node_drops_to_locked_and_is_unlocked_again_without_a_restart(
    kms: MotoKms, vault: KmsVault
) -> None:
    node = built(vault, await vault.identity.public_key())
    console = ConsoleService(node)
    await node.start()
    await console.execute(Unlock(SecretBytes(PASSPHRASE)))
    assert await in_state(node, NodeState.READY)
    kms.fail["Decrypt"] = ("ExpiredTokenException", 400)
    with pytest.raises(CommandRefused, match="the credentials have expired"):
        await console.execute(Unlock(SecretBytes(PASSPHRASE)))
    assert await in_state(node, NodeState.LOCKED)
    session = await session_view(node)
    assert not session.vault.present
    assert "keys and funds are not affected" in session.vault.backing
    kms.fail.clear()
    await console.execute(Unlock(SecretBytes(PASSPHRASE)))
    assert node.state is NodeState.READY
    assert (await session_view(node)).vault.unlocked
    await node.close()


async def test_missing_credentials_and_profiles_are_told(
    settings: KmsSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vault = KmsVault(replace(settings, place=replace(settings.place, profile="nobody")))
    with pytest.raises(HsmError, match="ProfileNotFound: no usable credentials"):
        await unlock(vault)
    await vault.close()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    vault = KmsVault(settings)
    with pytest.raises(HsmError, match="NoCredentialsError: no usable credentials"):
        await unlock(vault)
    await vault.close()
    credentials = tmp_path / "credentials"
    credentials.write_text("[treasury]\naws_access_key_id = A\naws_secret_access_key = B\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    vault = KmsVault(replace(settings, place=replace(settings.place, profile="treasury")))
    await unlock(vault)
    await vault.close()


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"])
async def test_where_calls_go_is_not_the_environment_s_to_say(
    kms: MotoKms, settings: KmsSettings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Without an endpoint in the settings the calls go to AWS's own, which nobody reaches here."""
    monkeypatch.setenv(name, kms.url)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    own = replace(settings, place=replace(settings.place, endpoint_url=""), times=SOON)
    vault = KmsVault(own)
    kms.calls.clear()
    with pytest.raises(HsmError, match="is not reached"):
        await unlock(vault)
    assert kms.calls == []
    await vault.close()


async def test_nothing_secret_is_logged_or_told(
    kms: MotoKms, settings: KmsSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vault = KmsVault(settings, now_ms=Clock())
    await unlock(vault)
    secret = SecretBytes(b"K" * 32)
    await vault.wrapping.wrap("ledger", secret)
    told = []
    for code in ("AccessDeniedException", "SomethingNew"):
        kms.fail = {"Encrypt": (code, 400)}
        with pytest.raises(HsmError) as refused:
            await vault.wrapping.wrap("ledger", secret)
        told += chain_of(refused.value)
        kms.fail = {}
        await unlock(vault)
    with pytest.raises(WrongPin) as wrong:
        await vault.verify_pin(SecretBytes(b"wrong-passphrase"))
    told += chain_of(wrong.value)
    text = "\n".join([*told, caplog.text])
    keys = [asked["Plaintext"] for name, asked in kms.calls if name == "Encrypt"]
    for shown in (SECRET_ACCESS_KEY, "K" * 8, "wrong-passphrase", "482913", *keys):
        assert shown not in text
    assert "botocore" not in caplog.text
    await vault.close()


def chain_of(error: BaseException | None) -> list[str]:
    """Return the texts of an error and of all that led to it."""
    texts = []
    while error is not None:
        texts.append(repr(error))
        error = error.__cause__ or error.__context__
    return texts


async def test_nothing_works_once_it_is_closed(vault: KmsVault) -> None:
    await unlock(vault)
    await vault.close()
    await vault.close()
    calls: list[Callable[[], object]] = [lambda: vault.identity.sign(b"x"), lambda: unlock(vault)]
    for call in calls:
        with pytest.raises(VaultLocked):
            await call()  # type: ignore[misc]


async def test_a_member_of_another_name_does_not_open_the_files(settings: KmsSettings) -> None:
    vault = KmsVault(replace(settings, member=MemberId("bob")))
    with pytest.raises(KeyCheckFailed, match="of alice, not of bob"):
        await unlock(vault)
    (settings.folder / RECORD_FILE).unlink()
    with pytest.raises(TokenMissing):
        await vault.identity.public_key()
    await vault.close()


async def test_this_user_s_own_descriptions_of_services_lead_no_call_elsewhere(
    kms: MotoKms, settings: KmsSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "models" / "kms" / "2014-11-01"
    rules.mkdir(parents=True)
    (rules / "endpoint-rule-set-1.json").write_text("no rules at all")
    (rules / "service-2.json").write_text("no service at all")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
    monkeypatch.setattr(Loader, "CUSTOMER_DATA_PATH", str(tmp_path / "models"))
    vault = KmsVault(settings)
    await unlock(vault)
    assert kms.operations()
    await vault.close()


async def test_a_locked_vault_signs_nothing_that_waited(
    kms: MotoKms, settings: KmsSettings
) -> None:
    vault = KmsVault(replace(settings, times=CallTimes(20.0, 60.0, 1)))
    await unlock(vault)
    kms.stall("Sign")
    signing = [asyncio.create_task(vault.identity.sign(b"message")) for _ in range(3)]
    await asyncio.sleep(0)
    locking = asyncio.create_task(vault.lock())
    await asyncio.sleep(0.05)
    assert not (await vault.status()).unlocked
    kms.before.clear()
    kms.go_on.set()
    await locking
    ended = await asyncio.gather(*signing, return_exceptions=True)
    assert sum(isinstance(each, VaultLocked) for each in ended) >= 2
    await vault.close()


@pytest.mark.parametrize("data", [b"", b"\0" * 64, hashlib.sha256(b"").digest() + bytes(64)])
async def test_a_key_record_of_nonsense_is_refused(
    kms: MotoKms, settings: KmsSettings, data: bytes
) -> None:
    (settings.folder / "key-record").write_bytes(data)
    vault = KmsVault(settings)
    kms.calls.clear()
    with pytest.raises(HsmError):
        await unlock(vault)
    assert not kms.operations()
    await vault.close()


@pytest.mark.parametrize("odd", [5, None, [], {}, "", "*", "AAAA"])
async def test_an_answer_of_any_form_is_a_failure_in_words(
    kms: MotoKms, settings: KmsSettings, odd: object
) -> None:
    vault = KmsVault(settings)
    await unlock(vault)
    kms.change["Sign"] = lambda answer: answer.update(Signature=odd)
    with pytest.raises(HsmError, match="AWS KMS"):
        await vault.identity.sign(b"message")
    await vault.close()
