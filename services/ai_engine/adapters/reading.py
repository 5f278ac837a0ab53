"""Holds a connection to a vendor: opened in time, read in a task of its own, closed without waiting for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final, TypeVar

from mesh.mailbox import Closed, Mailbox
from services.ai_engine.adapters.faults_of_vendors import Faults

M = TypeVar("M")
S = TypeVar("S")

#: Until a connection stands, in seconds. It is opened while the learner still speaks, or the model still thinks.
CONNECT_S: Final = 2.0
#: Until what was sent last is answered.
ANSWER_S: Final = 2.5
#: Messages that may wait. Full: reading waits, and by flow control so does the vendor.
_WAITING: Final = 256
#: So long a vendor may take to say goodbye.
_GOODBYE_S: Final = 0.3


@asynccontextmanager
async def connected(
    connection: AbstractAsyncContextManager[S], faults: Faults, *, abort: Callable[[S], None]
) -> AsyncIterator[S]:
    """The open connection. At the end of the block it is closed, and aborted where the vendor does not say goodbye.

    Raises ProviderError where it does not open in time.
    """
    with faults.told():
        async with asyncio.timeout(CONNECT_S):
            socket = await connection.__aenter__()
    try:
        yield socket
    finally:
        # In a task of its own: some libraries go on waiting when they are cancelled.
        goodbye = asyncio.create_task(_left(connection), name="closing a connection")
        _, waiting = await asyncio.wait((goodbye,), timeout=_GOODBYE_S)
        if waiting:
            abort(socket)
            await asyncio.wait((goodbye,), timeout=_GOODBYE_S)


@asynccontextmanager
async def reading(messages: AsyncIterator[M], faults: Faults) -> AsyncIterator[Mailbox[M]]:
    """The messages of a connection as they come; the mailbox closes with an error when the connection ends.

    Read in a task of its own, pings are answered and a cut is noticed while nobody asks.
    """
    mailbox: Mailbox[M] = Mailbox(_WAITING)
    task = asyncio.create_task(_read(messages, mailbox, faults), name="reading a connection")
    try:
        yield mailbox
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def next_of(mailbox: Mailbox[M], faults: Faults, within_s: float = ANSWER_S) -> M:
    """The next message.

    Raises ProviderError where the connection ended or nothing comes in time.
    """
    try:
        async with asyncio.timeout(within_s):
            return await mailbox.get()
    except TimeoutError:
        raise faults.timed_out() from None
    except Closed:
        raise mailbox.error or faults.cut_off() from None


async def _read(messages: AsyncIterator[M], mailbox: Mailbox[M], faults: Faults) -> None:
    try:
        async for message in messages:
            await mailbox.put(message)
    except Exception as error:  # Whatever a connection raises ends the hearing or the reply it serves, typed.
        mailbox.close(faults.of(error))
    else:
        mailbox.close(faults.cut_off())


async def _left(connection: AbstractAsyncContextManager[S]) -> None:
    # It is closed either way, and nobody waits for what the vendor says of it.
    with suppress(Exception):
        await connection.__aexit__(None, None, None)


@asynccontextmanager
async def hung_up() -> AsyncIterator[None]:
    """Bounds a goodbye in the block: a vendor that does not answer it is not waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            yield
