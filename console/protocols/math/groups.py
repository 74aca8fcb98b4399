"""The table of groups a stored key may name."""

from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import BadEncoding, Group
from console.protocols.math.secp256k1 import SECP256K1

GROUPS: dict[str, Group] = {group.name: group for group in (ED25519, SECP256K1)}


def group_named(name: str) -> Group:
    """Find a group by its stored name. Raises: BadEncoding."""
    try:
        return GROUPS[name]
    except KeyError:
        raise BadEncoding("the group is unknown") from None
