"""A PIN on its way from a field to the set-up process."""

from console.application.commands import Pin


def text_of(pin: Pin) -> str:
    """Return a PIN as the text that a question carries, and wipe it.

    The text cannot be wiped: whoever calls keeps it no longer than the question.
    """
    with pin as secret:
        return bytes(secret).decode()
