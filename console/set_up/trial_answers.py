"""Waiting until a demonstration's devnet and nodes answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from aiohttp import ClientError, ClientSession, ClientTimeout

from console.application.api import GetSession, NodeUnreachable
from console.client import Profile, connect
from console.set_up.refusing import NotDone
from console.set_up.trial_files import TrialFiles, TrialRecord

READY_S = 120.0
_LOOK_S, _ASK_S = 0.2, 5.0
_DEVNETS_OWN = "/devnet/faults"
"""A path that only a devnet has."""


async def all_answer(files: TrialFiles, record: TrialRecord) -> None:
    """Wait until all nodes answer. Raises: NotDone."""
    try:
        async with asyncio.timeout(READY_S):
            await _until(partial(has_devnet, record.devnet_port))
            for member in record.members:
                profile = Profile(member.member, member.name, files.home / member.member)
                await _until(partial(_answers, profile))
    except TimeoutError:
        raise NotDone(
            "demonstration-not-started",
            "The demonstration's nodes did not answer in time. Another program may use one of "
            "their ports.",
            "What was made is kept.",
            f"Try again, or throw it away and make a new one. {files.log} has what happened.",
        ) from None


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if await holds():
            return
        await asyncio.sleep(_LOOK_S)


async def has_devnet(port: int) -> bool:
    """Return whether the devnet answers there, and not another program."""
    timeout = ClientTimeout(total=_ASK_S)
    with suppress(ClientError, TimeoutError):
        async with (
            ClientSession(timeout=timeout) as session,
            session.get(f"http://127.0.0.1:{port}{_DEVNETS_OWN}") as answer,
        ):
            return answer.status == HTTPStatus.OK
    return False


async def _answers(profile: Profile) -> bool:
    with suppress(NodeUnreachable):
        console = await connect(profile)
        try:
            await console.ask(GetSession())
        finally:
            await console.close()
        return True
    return False
