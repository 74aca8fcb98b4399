"""Checks: can others reach an address, and are a chain's nodes of the chosen network."""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from pathlib import Path

from console.bootstrap import build_chains
from console.client.set_up.messages import (
    AddressTested,
    ChainChoice,
    ChainTested,
    TestAddress,
    TestChain,
)
from console.domain.addresses import proper_address
from console.domain.errors import MalformedIdentifier
from console.domain.values import Chain, Network
from console.set_up.ports import FIRST_PORT, free_port, ports_in_use
from console.settings import ChainEntry, SettingsInvalid

_CONNECT_S = 3.0
_OUTSIDE = ("192.0.2.1", 9)
"""An address for documentation (RFC 5737). Nothing is sent: only the way there is looked up."""


def test_address(home: Path, question: TestAddress) -> AddressTested:
    """Listen at an address for a moment and connect to it."""
    suggestion = _suggestion(home)
    if not question.listen:
        return AddressTested(works=False, found="", suggestion=suggestion)
    try:
        host, port = _split(question.listen)
    except MalformedIdentifier:
        found = "This is not host:port with a port from 1 to 65535."
        return AddressTested(works=False, found=found, suggestion=suggestion)
    # A set-up may test its own address again.
    if port in ports_in_use(home, set_ups=False):
        found = f"Port {port} belongs to another member on this machine."
        return AddressTested(works=False, found=found, suggestion=suggestion)
    found = _listened(host, port)
    works = not found
    if works:
        found = "This machine listens there, and a connection to it was made from here."
        if _is_loopback(host):
            found += " Only members on this same machine reach it."
    return AddressTested(works=works, found=found, suggestion="" if works else suggestion)


def test_chain(question: TestChain) -> ChainTested:
    """Ask a chain's nodes for their network and newest block. Raises: ChainUnavailable."""
    entry = chain_entry(question.chain)
    try:
        height = asyncio.run(_height(entry))
    except SettingsInvalid as wrong:
        return ChainTested(works=False, found=_sentence(str(wrong)))
    nodes = "The node is" if len(entry.more_urls) == 0 else "All nodes are"
    return ChainTested(
        works=True, found=f"{nodes} on {entry.network}; the newest block is {height:,}."
    )


def chain_entry(choice: ChainChoice) -> ChainEntry:
    """Return a chain's settings. Raises: SettingsInvalid for what is none."""
    url, *more = (text.strip() for text in choice.urls)
    if not all((url, *more)):
        raise SettingsInvalid("the address of a chain's node is empty")
    known = choice.chain in list(Chain) and choice.network in list(Network)
    if not known:
        raise SettingsInvalid("this chain or network is not known here")
    return ChainEntry(
        chain=choice.chain,
        network=choice.network,
        url=url,
        more_urls=tuple(more),
        websocket=choice.websocket.strip(),
    )


async def _height(entry: ChainEntry) -> int:
    adapters = build_chains((entry,))
    try:
        (adapter,) = adapters.values()
        return await adapter.height()
    finally:
        for adapter in adapters.values():
            await adapter.close()


def _split(listen: str) -> tuple[str, int]:
    host, _, port = proper_address(listen.strip(), "the address").rpartition(":")
    return host.strip("[]"), int(port)


def _listened(host: str, port: int) -> str:
    """Listen and connect; return what is wrong, '' if nothing."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return f"The name {host} is not known to this machine."
    family, kind, protocol, _, where = found[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(where)
            listener.listen(1)
        except PermissionError:
            return f"Port {port} is for the system's own services; take one from 1024 on."
        except OSError as error:
            return _why_not(error, host, port)
        try:
            with socket.create_connection((host, port), timeout=_CONNECT_S):
                return ""
        except OSError:
            return (
                "This machine listens there, but a connection from here did not arrive: "
                "a firewall may be in between."
            )


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program."
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host} is no address of this machine. The node listens where this says: enter an "
            "address of this machine, and have it forwarded if it is behind a router."
        )
    return f"This machine cannot listen there: {error.strerror}."


def _suggestion(home: Path) -> str:
    host = _own_address()
    port = free_port(host, ports_in_use(home), first=FIRST_PORT)
    return f"{host}:{port}" if port else ""


def _own_address() -> str:
    """Return the address by which this machine reaches others, else loopback."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_OUTSIDE)
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
