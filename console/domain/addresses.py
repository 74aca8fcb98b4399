"""Addresses of nodes: host:port, as a link can be made to."""

import re

from console.domain.errors import MalformedIdentifier

_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]"
)
"""A name of RFC 1123 labels, an IPv4 address, or an IPv6 address in brackets."""


def proper_address(text: str, what: str) -> str:
    """Return the address. Raises: MalformedIdentifier saying what is wrong with it."""
    host, colon, port = text.rpartition(":")
    if len(host) > 253 or not colon or not _HOST.fullmatch(host) or not _is_port(port):
        raise MalformedIdentifier(f"{what} is not host:port with a port from 1 to 65535")
    return text


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65_535
