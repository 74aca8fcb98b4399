"""Wrong PINs of set-ups are counted by token, whatever name the operator gave it."""

import hashlib
from itertools import count
from pathlib import Path

import pytest

from console.application.errors import PinLocked, WrongPin
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, check, set_up_member
from console.sealing.pin_backoff import PinBackoff
from hsm.library import TokenChoice, library, serial_of
from tests.shim import Shim
from tests.softhsm import USER_PIN

pytestmark = pytest.mark.hsm


def wrong() -> SecretBytes:
    return SecretBytes(b"000000")


def names_of(shim: Shim, label: str) -> tuple[str, str, str]:
    owner = library(shim.module)
    with owner.lock:
        token = owner.find(TokenChoice(label=label))
        return label, f"serial:{serial_of(token)}", f"slot:{token.slot.slot_id}"


def old_count(home: Path, module: Path, name: str) -> Path:
    """Return where earlier versions counted."""
    digest = hashlib.sha256(f"{module.resolve()}\0{name}".encode()).hexdigest()
    return home / f".pin-tries-{digest[:16]}"


def counts(home: Path) -> list[int]:
    return [PinBackoff(path, lambda: 0).failures() for path in home.glob(".pin-tries-*")]


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("then", [0, 1, 2])
def test_a_token_has_one_count_by_all_its_names(
    shim: Shim, tmp_path: Path, first: int, then: int
) -> None:
    names = names_of(shim, shim.token())
    with pytest.raises(WrongPin):
        check(tmp_path, str(shim.module), names[first], wrong())
    with pytest.raises(PinLocked, match="next try"):
        check(tmp_path, str(shim.module), names[then], wrong())
    assert counts(tmp_path) == [1]


def test_a_set_up_and_a_check_count_together(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    _, serial, slot = names_of(shim, label)
    new = NewMember(
        member="alice",
        name="Alice",
        peer_address="127.0.0.1:7600",
        console_address="127.0.0.1:7601",
        module=str(shim.module),
        token=slot,
        fresh_softhsm=False,
        chains=(),
    )
    with pytest.raises(WrongPin):
        set_up_member(tmp_path, new, wrong(), None)
    with pytest.raises(PinLocked, match="next try"):
        check(tmp_path, str(shim.module), serial, wrong())


def test_no_count_of_before_is_lost(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    days = count(10**15, 10**8)
    # Three counters of one token, and the highest of them is the token's.
    for name, failures in zip(names_of(shim, label), (1, 5, 3), strict=True):
        before = PinBackoff(old_count(tmp_path, shim.module, name), lambda: next(days))
        for _ in range(failures):
            before.begin_try()
    with pytest.raises(PinLocked):
        check(tmp_path, str(shim.module), label, SecretBytes(USER_PIN))
    assert counts(tmp_path) == [5]


def test_a_damaged_count_of_before_is_the_longest_wait(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    old_count(tmp_path, shim.module, label).write_text("x")
    with pytest.raises(PinLocked):
        check(tmp_path, str(shim.module), label, SecretBytes(USER_PIN))
    with pytest.raises(PinLocked):
        check(tmp_path, str(shim.module), label, SecretBytes(USER_PIN))
