"""The vault over a module whose calls take 20 ms longer each; seconds, one for each round."""

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes
from hsm.provision import provision
from hsm.vault import Pkcs11Vault
from tests.shim import Shim, build
from tests.softhsm import USER_PIN, SoftHsm

SLOW = "slow=20"


@dataclass
class Slow:
    """What each step took."""

    unlock: list[float] = field(default_factory=list)
    verify_pin: list[float] = field(default_factory=list)
    anchor_write: list[float] = field(default_factory=list)


async def slow_calls(softhsm: SoftHsm, folder: Path, count: int = 5) -> Slow:
    """Unlock, check the PIN and write the anchor, as a node does: the anchor is read before."""
    words = folder / "words"
    os.environ["QUORATE_SHIM"] = str(words)
    shim = Shim(build(folder, softhsm.module), words, softhsm)
    shim.restrict()
    settings = shim.settings(folder, shim.token())
    provision(settings, SecretBytes(USER_PIN))
    taken = Slow()
    shim.restrict(SLOW)
    for number in range(count):
        vault = Pkcs11Vault(settings)
        await vault.status()

        async def unlock(vault: Pkcs11Vault = vault) -> None:
            await vault.unlock(SecretBytes(USER_PIN))

        async def verify(vault: Pkcs11Vault = vault) -> None:
            await vault.verify_pin(SecretBytes(USER_PIN))

        async def write(vault: Pkcs11Vault = vault, number: int = number) -> None:
            await vault.anchor.write(HeadAnchor(number, bytes(32)))

        taken.unlock.append(await _timed(unlock))
        taken.verify_pin.append(await _timed(verify))
        await vault.anchor.read()
        taken.anchor_write.append(await _timed(write))
        await vault.close()
    shim.restrict()
    return taken


async def _timed(step: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await step()
    return time.perf_counter() - started
