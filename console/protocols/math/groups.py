"""The table of groups a stored key may name."""

from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import BadEncoding, Group

GROUPS: dict[str, Group] = {group.name: group for group in (ED25519,)}


def group_named(name: str) -> Group:
    """Find a group by its stored name. Raises: BadEncoding."""
    try:
        return GROUPS[name]
    except KeyError:
        raise BadEncoding("the group is unknown") from None
