"""Keys in AWS KMS: where they are, their check, and why they cannot be used here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.application.errors import HsmError
from console.client.set_up.messages import CheckToken, TokenChoice, TokenKind
from console.provisioning import CloudKeys, check_cloud
from console.set_up.refusing import NotDone, sentence
from console.settings import VaultSettings
from hsm import Capabilities, SetUpOver, SetUpUnfinished, TokenInsufficient
from hsm.kms import missing_package

_NO_KEY_LEFT = "No key has come out of AWS KMS. This member has no funds yet."
_TABLE: tuple[tuple[type[Exception], str, str, str], ...] = (
    (
        TokenInsufficient,
        "kms-insufficient",
        "No key is used that does not suffice.",
        "Correct the key or its policy in AWS, or go back and choose other keys.",
    ),
    (
        SetUpUnfinished,
        "kms-unfinished",
        "What is left in AWS KMS belongs to no member.",
        "Try again when AWS KMS answers: what is left is used or removed first.",
    ),
    (
        HsmError,
        "kms-failed",
        _NO_KEY_LEFT,
        "Check the network, the credentials and the keys\u2019 policies; then try again.",
    ),
)


def not_possible_because() -> str:
    """Return why keys in KMS cannot be used here, as a sentence, or ''."""
    missing = missing_package()
    if not missing:
        return ""
    return f"The package {missing} is not installed here. Install Quorate with its extra `kms`."


def is_in_kms(choice: TokenChoice | None) -> bool:
    """Return whether a choice is AWS KMS."""
    return choice is not None and choice.kind is TokenKind.KMS


def keys_of(choice: TokenChoice) -> CloudKeys:
    """Return where the keys of a choice are, or will be."""
    return CloudKeys(
        region=choice.region,
        sealing_key=choice.sealing_key,
        identity_key=choice.identity_key,
        endpoint_url=choice.endpoint_url,
        profile=choice.profile,
    )


def choice_of(vault: VaultSettings) -> TokenChoice:
    """Return the choice that a vault in KMS was made by, with the keys that it has."""
    return TokenChoice(
        kind=TokenKind.KMS,
        region=vault.region,
        sealing_key=vault.sealing_key,
        identity_key=vault.identity_key,
        profile=vault.profile,
        endpoint_url=vault.endpoint_url,
    )


def check(home: Path, question: CheckToken) -> Capabilities:
    """Return what the named keys have of what a member needs. Raises: NotDone, SettingsInvalid."""
    with told_of_kms():
        return check_cloud(home, keys_of(question.token), question.member)


@contextmanager
def told_of_kms(*, is_kms: bool = True) -> Iterator[None]:
    """Refuse failures in KMS with words that name no token. Raises: NotDone."""
    try:
        yield
    except HsmError as error:
        if not is_kms or isinstance(error, SetUpOver):
            raise
        _, code, safe, next_step = next(row for row in _TABLE if isinstance(error, row[0]))
        raise NotDone(code, sentence(str(error)), safe, next_step) from None
