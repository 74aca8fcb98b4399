"""Loads the KMS client when a vault first needs it: a node with a token never does."""

import importlib
from collections.abc import Callable
from typing import Any

from console.application.errors import HsmError
from hsm.kms.calls import CallTimes, KmsCalls
from hsm.kms.place import KmsPlace

CLIENT = "hsm.kms.client"
Connect = Callable[[KmsPlace, CallTimes], KmsCalls]


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
