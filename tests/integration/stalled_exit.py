"""A process whose token stalls, and which then ends: `python -m tests.integration.stalled_exit`."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from console.application.errors import HsmError
from console.protocols.kernel.secret import SecretBytes
from hsm.provision import provision
from hsm.vault import Pkcs11Vault
from tests.shim import Shim, build
from tests.softhsm import USER_PIN, configure


async def main(folder: Path) -> None:
    """Unlock, stall, be refused, close."""
    softhsm = configure(folder / "softhsm")
    words = folder / "words"
    os.environ["QUORATE_SHIM"] = str(words)
    shim = Shim(build(folder, softhsm.module), words, softhsm)
    shim.restrict()
    settings = replace(shim.settings(folder, shim.token()), call_limit_s=1.0)
    provision(settings, SecretBytes(USER_PIN))
    vault = Pkcs11Vault(settings)
    await vault.unlock(SecretBytes(USER_PIN))
    shim.restrict("stalled")
    try:
        await vault.identity.sign(b"message")
    except HsmError as error:
        print(error)
    await vault.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
