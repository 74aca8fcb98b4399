"""The Zcash Foundation's sums of repair, for the three suites."""

import json
from pathlib import Path

import pytest

from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.repair import sum_of_parts
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Group
from console.protocols.math.secp256k1 import SECP256K1

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("group", "folder"),
    [
        (ED25519, "zf-frost-ed25519"),
        (SECP256K1, "zf-frost-secp256k1"),
        (SECP256K1, "zf-frost-secp256k1-tr"),
    ],
)
@pytest.mark.parametrize(
    ("part", "name"), [("scalar_generation", "random_scalar"), ("sigma_generation", "sigma")]
)
def test_parts_add_up(group: Group, folder: str, part: str, name: str) -> None:
    values = json.loads((HERE / folder / "repair-share.json").read_text())[part]
    expected = bytes.fromhex(values.pop(f"{name}_sum"))
    parts = [SecretBytes(bytes.fromhex(value)) for value in values.values()]
    assert len(parts) in {3, 4}
    assert sum_of_parts(group, parts) == SecretBytes(expected)
