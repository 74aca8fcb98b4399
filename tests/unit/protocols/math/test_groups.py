"""What holds of the scalars of every group."""

import pytest

from console.protocols.kernel.secret import SecretBytes
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import BadEncoding, Group
from console.protocols.math.secp256k1 import SECP256K1


@pytest.mark.parametrize("group", [ED25519, SECP256K1], ids=lambda group: group.name)
def test_zero_is_a_scalar_but_not_where_it_is_forbidden(group: Group) -> None:
    zero, largest = bytes(32), group.scalar(group.order - 1)
    assert group.parse_scalar(zero) == zero
    for parse in (group.parse_nonzero_scalar, lambda b: group.secret_scalar(SecretBytes(b))):
        with pytest.raises(BadEncoding):
            parse(zero)
    assert group.parse_nonzero_scalar(largest) == largest
