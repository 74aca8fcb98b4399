"""Where makers' PKCS#11 libraries are on Debian: a table, and p11-kit's configuration."""

import contextlib
import platform
from pathlib import Path

MAX_MODULES = 32
_TRIPLET = f"{platform.machine()}-linux-gnu"
_LIB = Path("/usr/lib")
_ARCH = _LIB / _TRIPLET
KNOWN = (
    # Smart cards and USB tokens.
    _ARCH / "opensc-pkcs11.so",
    _ARCH / "libykcs11.so.2",
    _LIB / "libeToken.so",
    _LIB / "libIDPrimePKCS11.so",
    # Hardware security modules, on USB and in the network.
    _ARCH / "pkcs11/yubihsm_pkcs11.so",
    _LIB / "nitrokey/libnethsm_pkcs11.so",
    Path("/usr/safenet/lunaclient/lib/libCryptoki2_64.so"),
    Path("/opt/nfast/toolkits/pkcs11/libcknfast.so"),
    Path("/opt/utimaco/lib/libcs_pkcs11_R3.so"),
    _LIB / "libcs_pkcs11_R3.so",
    Path("/opt/cloudhsm/lib/libcloudhsm_pkcs11.so"),
    Path("/opt/fxpkcs11/libfxpkcs11.so"),
    # The machine's own chips and software.
    _ARCH / "pkcs11/libtpm2_pkcs11.so",
    _ARCH / "libtpm2_pkcs11.so.1",
    _ARCH / "opencryptoki/libopencryptoki.so",
    _LIB / "opencryptoki/libopencryptoki.so",
    _ARCH / "pkcs11/libkryoptic_pkcs11.so",
    _LIB / "softhsm/libsofthsm2.so",
    _ARCH / "softhsm/libsofthsm2.so",
)
CONFIGURED = (Path("/etc/pkcs11/modules"), Path("/usr/share/p11-kit/modules"))
RELATIVE_TO = (_ARCH / "pkcs11", _LIB / "pkcs11", _ARCH)
"""Where p11-kit looks for a library that is named without a folder."""
_MAX_FILE, _MAX_FILES = 16_384, 64
_NOT_TOKENS = frozenset({"trust-policy"})
"""Of libraries that hold certificates only."""


def find_modules(
    named: tuple[str, ...] = (),
    known: tuple[Path, ...] = KNOWN,
    configured: tuple[Path, ...] = CONFIGURED,
) -> tuple[Path, ...]:
    """Return the libraries: those named, whether they exist or not, then those found here."""
    found: dict[Path, Path] = {}
    for path in (
        *(Path(name) for name in named if name),
        *(path for path in known if path.is_file()),
        *_of_p11_kit(configured),
    ):
        # Two names of one file are one library.
        found.setdefault(path.resolve(), path)
    return tuple(found.values())[:MAX_MODULES]


def _of_p11_kit(folders: tuple[Path, ...]) -> list[Path]:
    files = [path for folder in folders for path in sorted(folder.glob("*.module"))]
    found = []
    for file in files[:_MAX_FILES]:
        # A damaged file is p11-kit's to tell; the other libraries are listed all the same.
        with contextlib.suppress(OSError, UnicodeError):
            with file.open("rb") as stream:
                text = stream.read(_MAX_FILE).decode()
            path = _library_of(text)
            if path is not None:
                found.append(path)
    return found


def _library_of(text: str) -> Path | None:
    """Return the library that a module file names (pkcs11.conf(5)), if it holds tokens."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not name.lstrip().startswith("#"):
            values[name.strip()] = value.strip()
    if any(values.get(name) == "yes" for name in _NOT_TOKENS) or not values.get("module"):
        return None
    path = Path(values["module"])
    if path.is_absolute():
        return path if path.is_file() else None
    return next((f / path for f in RELATIVE_TO if (f / path).is_file()), None)
