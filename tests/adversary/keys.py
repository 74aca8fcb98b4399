"""Keys from a trusted dealer, for tests that start where key generation ends."""

from typing import Any

import pytest

from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Group
from console.protocols.math.polynomial import Polynomial
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.network import stream


def dealt(
    threshold: int, parties: int, seed: str = "key", group: Group = ED25519
) -> dict[int, KeyShare]:
    polynomial = Polynomial.draw(group, threshold, stream(seed))
    secrets = {i: polynomial.evaluate(i) for i in range(1, parties + 1)}
    points = {i: group.base(group.secret_scalar(x)) for i, x in secrets.items()}
    public = PublicKeyPackage(
        group.name,
        threshold,
        polynomial.commitments()[0],
        tuple(sorted(points.items())),
        bytes(32),
    )
    return {i: KeyShare(i, x, public) for i, x in secrets.items()}


def over_each_group(parties: int, seed: str) -> Any:
    """Return a fixture that runs all tests of a module over each group: its GROUP and its KEYS."""

    @pytest.fixture(params=[ED25519, SECP256K1], ids=lambda group: group.name, autouse=True)
    def group(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Group:
        chosen: Group = request.param
        monkeypatch.setattr(request.module, "GROUP", chosen)
        monkeypatch.setattr(request.module, "KEYS", dealt(2, parties, seed, chosen))
        return chosen

    return group


def copy_of(secret: SecretBytes) -> SecretBytes:
    return SecretBytes(bytes(secret.view()))
