"""Where the local chains of tests and demonstrations are part of this installation.

They are the `devnet` extra, which the installed product has not, so nothing here imports them.
"""

from importlib.util import find_spec

PACKAGES = ("console.devnet", "eth_tester", "eth", "pbk")
READY = "quorate devnet ready"
"""What the devnet's first line begins with."""
USUAL_PORT = 18899
NOT_INSTALLED = (
    "the local chains are not part of this installation. They are in the sources "
    "(./run demo) and in the package's `devnet` extra"
)


def local_chains_installed() -> bool:
    """Return whether `quorate devnet` can run here."""
    return all(find_spec(name) is not None for name in PACKAGES)
