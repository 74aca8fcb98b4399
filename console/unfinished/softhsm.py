"""SoftHSM: where its library is, and a fresh token of it in a folder."""

from pathlib import Path

from console.settings import SettingsInvalid

_MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)
SOFTHSM_CONF = "softhsm2.conf"
TOKENS = "tokens"


def find_softhsm() -> Path:
    """Return SoftHSM's library. Raises: SettingsInvalid naming its package."""
    for module in _MODULES:
        if module.exists():
            return module
    raise SettingsInvalid("SoftHSM is not installed; the Debian package is softhsm2")


def softhsm_conf(folder: Path) -> Path:
    """Make the folder of a fresh SoftHSM token in `folder`, if it is missing, and its settings.

    Return the settings' path.
    """
    tokens = folder / TOKENS
    tokens.mkdir(mode=0o700, exist_ok=True)
    conf = folder / SOFTHSM_CONF
    conf.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    return conf
