"""Loads the KMS client when a vault first needs it: a node with a token never does."""

import importlib
import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any

from console.application.errors import HsmError
from hsm.kms.calls import CallTimes, KmsCalls
from hsm.kms.place import KmsPlace

CLIENT = "hsm.kms.client"
_PACKAGES = ("boto3", "botocore")
Connect = Callable[[KmsPlace, CallTimes], KmsCalls]


@cache
def missing_package() -> str:
    """Return which package of the client is not installed, or ''. Loads none."""
    absent = (name for name in _PACKAGES if importlib.util.find_spec(name) is None)
    return next(absent, "")


def connect(place: KmsPlace, times: CallTimes) -> KmsCalls:
    """Return the client; it connects with its first call. Raises: HsmError without boto3."""
    try:
        module: Any = importlib.import_module(CLIENT)
    except ModuleNotFoundError as missing:
        raise HsmError(
            f"the package {missing.name} is not installed; keys in AWS KMS need the `kms` extra"
        ) from None
    client: KmsCalls = module.KmsClient(place, times)
    return client
