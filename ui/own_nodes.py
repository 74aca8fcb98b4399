"""The nodes of a home's members: started with the window, and watched by it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import platformdirs

from console.client import OwnNode, Profile, ServiceUnit

USUAL_HOME = Path(platformdirs.user_data_dir("quorate", appauthor=False))


def own_nodes(home: Path, profiles: Sequence[Profile], *, only: str = "") -> Mapping[str, OwnNode]:
    """Return the members' nodes, after starting those that do not run; `only` one member's."""
    nodes = {}
    for profile in profiles:
        # The service runs the nodes of the usual home alone.
        unit = ServiceUnit(profile.member) if home == USUAL_HOME else None
        node = nodes[profile.member] = OwnNode(home, profile, service=unit)
        if only in {"", profile.member}:
            with suppress(OSError):  # The window tells it, and offers to start it again.
                node.start()
    return nodes
