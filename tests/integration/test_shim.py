"""The restricting shim itself: each word takes away what it names, and nothing else."""

import secrets
import threading
from collections.abc import Callable

import pkcs11
import pytest
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, MechanismFlag, ObjectClass, TokenFlag
from pkcs11 import exceptions as p11
from pkcs11.types import SecretKey, Session, Token
from pkcs11.util.ec import encode_named_curve_parameters

from hsm.library import library
from tests.shim import BROKEN_GCM, NO_EC, NO_GCM, Shim
from tests.softhsm import USER_PIN

pytestmark = pytest.mark.hsm


@pytest.fixture
def label(shim: Shim) -> str:
    return shim.token()


def token_of(shim: Shim, label: str) -> Token:
    return pkcs11.lib(str(shim.module)).get_token(token_label=label)


def login(shim: Shim, label: str, pin: bytes = USER_PIN) -> Session:
    return token_of(shim, label).open(rw=True, user_pin=pin.decode())


def aes(session: Session) -> SecretKey:
    both = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
    return session.generate_key(KeyType.AES, 256, capabilities=both)


def seal(session: Session) -> bytes:
    how = GCMParams(secrets.token_bytes(12), aad=b"a")
    return aes(session).encrypt(b"secret", mechanism=Mechanism.AES_GCM, mechanism_param=how)


def key_pair(session: Session, **traits: bool) -> None:
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template={Attribute[name]: value for name, value in traits.items()},
    )


def data(size: int) -> Callable[[Session], object]:
    return lambda session: session.create_object(
        {Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: "d", Attribute.VALUE: bytes(size)}
    )


def another_session(session: Session) -> object:
    return session.token.open()


def test_without_words_nothing_is_missing(shim: Shim, label: str) -> None:
    with login(shim, label) as session:
        assert len(seal(session)) == 6 + 16
        key_pair(session)
        data(4096)(session)
        another_session(session)


@pytest.mark.parametrize(
    ("words", "use", "refusal"),
    [
        (NO_GCM, seal, p11.MechanismInvalid),
        (BROKEN_GCM, seal, p11.MechanismInvalid),
        ("iv-written", seal, p11.MechanismParamInvalid),
        (NO_EC, key_pair, p11.MechanismInvalid),
        ("no-data", data(8), p11.AttributeValueInvalid),
        ("objects=100", data(101), p11.DeviceMemory),
        ("sessions=1", another_session, p11.SessionCount),
    ],
)
def test_what_is_taken_away_is_refused(
    shim: Shim,
    label: str,
    words: str,
    use: Callable[[Session], object],
    refusal: type[p11.PKCS11Error],
) -> None:
    shim.restrict(words)
    with login(shim, label) as session:
        with pytest.raises(refusal):
            use(session)
        shim.restrict()
        if use is not seal:
            use(session)


def test_lists_leave_out_what_is_hidden_and_keep_what_is_broken(shim: Shim, label: str) -> None:
    slot = token_of(shim, label).slot
    everything = slot.get_mechanisms()
    shim.restrict(BROKEN_GCM, NO_EC)
    assert everything - slot.get_mechanisms() == {Mechanism.EC_KEY_PAIR_GEN, Mechanism.ECDSA}


def test_an_iv_of_the_tokens_own_is_appended_or_written_back(shim: Shim, label: str) -> None:
    with login(shim, label) as session:
        shim.restrict("iv-appended")
        key, given = aes(session), secrets.token_bytes(12)
        how = GCMParams(given, aad=b"a")
        sealed = key.encrypt(b"secret", mechanism=Mechanism.AES_GCM, mechanism_param=how)
        assert len(sealed) == 6 + 16 + 12
        used = GCMParams(sealed[-12:], aad=b"a")
        shim.restrict()
        opened = key.decrypt(sealed[:-12], mechanism=Mechanism.AES_GCM, mechanism_param=used)
        assert opened == b"secret"
        shim.restrict("iv-written")
        zero = bytes(12)
        how = GCMParams(zero, aad=b"a")
        sealed = key.encrypt(b"secret", mechanism=Mechanism.AES_GCM, mechanism_param=how)
        assert any(zero)
        assert key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=how) == b"secret"


def test_a_read_only_token(shim: Shim, label: str) -> None:
    shim.restrict("read-only")
    assert token_of(shim, label).flags & TokenFlag.WRITE_PROTECTED
    with pytest.raises(p11.TokenWriteProtected):
        token_of(shim, label).open(rw=True)
    token_of(shim, label).open().close()


def test_three_tries_are_counted_told_and_end(shim: Shim, label: str) -> None:
    shim.restrict("tries=3")
    told = TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_LOCKED
    seen = []
    for _ in range(3):
        with pytest.raises(p11.PinIncorrect):
            login(shim, label, b"000000")
        seen.append(token_of(shim, label).flags & told)
    low = TokenFlag.USER_PIN_COUNT_LOW
    assert seen == [low, low | TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED]
    with pytest.raises(p11.PinLocked):
        login(shim, label)
    shim.restrict("tries=4", "quiet")
    assert not token_of(shim, label).flags & told
    login(shim, label).close()


def test_always_authenticate_that_is_stored_and_not_enforced(shim: Shim, label: str) -> None:
    shim.restrict("no-reauth")
    with login(shim, label) as session:
        key_pair(session, ALWAYS_AUTHENTICATE=True)
        key = next(iter(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})))
        assert key[Attribute.ALWAYS_AUTHENTICATE] is True
        assert len(key.sign(bytes(32), mechanism=Mechanism.ECDSA)) == 64  # type: ignore[attr-defined]


def test_a_token_that_is_gone_comes_back_without_its_sessions(shim: Shim, label: str) -> None:
    session = login(shim, label)
    shim.restrict("gone")
    with pytest.raises(p11.DeviceRemoved):
        seal(session)
    with pytest.raises(p11.NoSuchToken):
        token_of(shim, label)
    shim.restrict()
    with pytest.raises(p11.SessionHandleInvalid):
        seal(session)
    library(shim.module).reset()
    with login(shim, label) as fresh:
        seal(fresh)


def test_a_stalled_call_ends_when_the_token_goes_on(shim: Shim, label: str) -> None:
    session = login(shim, label)
    shim.restrict("stalled")
    done: list[bytes] = []
    caller = threading.Thread(target=lambda: done.append(seal(session)))
    caller.start()
    caller.join(0.1)
    assert caller.is_alive()
    assert not done
    shim.restrict("slow=1")
    caller.join(60)
    assert len(done) == 1
    session.close()
