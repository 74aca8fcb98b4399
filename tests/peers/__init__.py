"""PKCS#11 modules of others that the vault's contract runs over, where `./run peers` has made them.

Each is found in `build/peers`, or the test is skipped with what is missing.
"""

import atexit
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.protocols.kernel.secret import SecretBytes
from hsm.provision import initialise_token
from tests.softhsm import SO_PIN, USER_PIN, SoftHsm

FOLDER = Path(__file__).resolve().parents[2] / "build" / "peers"
ROOT = FOLDER / "root"
KRYOPTIC = FOLDER / "libkryoptic_pkcs11.so"
_WAIT_S = 20
_LABEL = "quorate-peer"


@dataclass(frozen=True)
class Peer:
    """A module, and the label of an initialised token in it."""

    module: Path
    label: str


_running: dict[str, Peer] = {}


def peer(kind: str, softhsm: SoftHsm, folder: Callable[[str], Path]) -> Peer:
    """Return a peer with a token, once a process; skip the test if it is not here."""
    if kind not in _running:
        _running[kind] = PEERS[kind](softhsm, folder(kind))
    return _running[kind]


def _kryoptic(_: SoftHsm, folder: Path) -> Peer:
    if not KRYOPTIC.exists():
        pytest.skip("kryoptic is not here: `./run peers` builds it, with cargo and libssl-dev")
    conf = folder / "kryoptic.conf"
    conf.write_text(f'[[slots]]\nslot = 1\ndbtype = "sqlite"\ndbargs = "{folder / "token.sql"}"\n')
    os.environ["KRYOPTIC_CONF"] = str(conf)
    initialise_token(KRYOPTIC, _LABEL, SecretBytes(SO_PIN), SecretBytes(USER_PIN))
    return Peer(KRYOPTIC, _LABEL)


def _p11_kit(softhsm: SoftHsm, folder: Path) -> Peer:
    label = softhsm.blank()
    client, _ = p11_kit(softhsm, folder)
    return Peer(client, label)


def p11_kit(softhsm: SoftHsm, folder: Path) -> tuple[Path, "subprocess.Popen[bytes]"]:
    """Start p11-kit's server for the tokens that SoftHSM has now; return its client, and it."""
    client = next(ROOT.glob("usr/lib/*/pkcs11/p11-kit-client.so"), None)
    server = next(ROOT.glob("usr/lib*/**/p11-kit-server"), None)
    if client is None or server is None:
        pytest.skip("p11-kit is not here: `./run peers` unpacks it, with apt-get")
    socket = folder / "socket"
    socket.unlink(missing_ok=True)
    libraries = os.pathsep.join(str(path.parent) for path in ROOT.glob("usr/lib/*/libp11-kit.so.0"))
    process = subprocess.Popen(
        [server, "--foreground", "--provider", softhsm.module, "--name", socket, "pkcs11:"],
        env={
            **os.environ,
            "LD_LIBRARY_PATH": libraries,
            "P11_KIT_PRIVATEDIR": str(server.parent),
        },
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    atexit.register(end, process)
    assert process.stdout is not None
    # It tells its address as soon as it listens.
    if b"P11_KIT_SERVER_ADDRESS" not in process.stdout.readline():
        pytest.skip("p11-kit's server does not start here")
    os.environ["P11_KIT_SERVER_ADDRESS"] = f"unix:path={socket}"
    return client, process


def _opencryptoki(_softhsm: SoftHsm, _folder: Path) -> Peer:
    modules = (*ROOT.glob("usr/lib/*/libopencryptoki.so.0"), None)
    if modules[0] is None:
        pytest.skip("opencryptoki is not here: `./run peers` unpacks it, with apt-get")
    pytest.skip(
        "opencryptoki's daemon pkcsslotd has fixed folders below /etc and /var, and a group of its "
        "own: only an installation as root makes them"
    )


def end(process: subprocess.Popen[bytes], by: int = signal.SIGTERM) -> None:
    """End a server and the processes of its connections."""
    if process.poll() is None:
        os.killpg(process.pid, by)
        process.wait(_WAIT_S)


PEERS: dict[str, Callable[[SoftHsm, Path], Peer]] = {
    "kryoptic": _kryoptic,
    "p11-kit": _p11_kit,
    "opencryptoki": _opencryptoki,
}
