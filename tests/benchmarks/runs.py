"""Protocol runs among honest parties in one process, which have to succeed."""

import secrets
from collections.abc import Mapping
from typing import Any

from tests.adversary.network import Network, Run


def outcomes_of(runs: Mapping[int, Run]) -> dict[int, Any]:
    """Return each party's outcome."""
    network = Network(runs, session_id=secrets.token_bytes(32)).deliver()
    if len(network.outcomes) != len(runs):
        raise RuntimeError("the run failed")
    return network.outcomes
