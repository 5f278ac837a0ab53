"""The only place that reads and writes gRPC streams: bounded queues, one reader, one writer, half-close."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Generic, Protocol, TypeVar, runtime_checkable

from grpc.aio import EOF, AioRpcError, InternalError, StreamStreamCall, UnaryStreamCall

from mesh.calls import current_call
from mesh.errors import ExhaustedError, InvalidFieldError, TimedOutError, UnavailableError, VivavoceError
from mesh.mailbox import Closed, Mailbox
from mesh.wire_errors import from_rpc_error

Out = TypeVar("Out")
In = TypeVar("In")
Metadata = Sequence[tuple[str, str]]

#: How long a full outbox may stay full before the other side counts as one that does not read.
STALLED_AFTER_S: Final = 10.0
#: Looked at so often in that time.
_LOOKS: Final = 5
#: How long a client waits, after its half-close, for the server to end the call before it cancels it.
_CLOSE_S: Final = 5.0


@runtime_checkable
class Within(Protocol):
    """A call, or the context of one, that our own code carries: within this process, or by a shared wire."""

    def connect(self, inbox: Mailbox[Any], outbox: Mailbox[Any]) -> None:
        """Lets messages go from the one side's outbox to the other's inbox without a task, while nothing waits."""
        ...


class DuplexStream(Generic[Out, In]):
    """One side of a bidirectional stream: messages go out and come in, in order, each way through one bounded queue.

    Safe to wait on with a timeout and to cancel: no message is lost, and the call goes on.
    """

    def __init__(self, *, inbox: int, outbox: int, stalled_after_s: float) -> None:
        self._inbox: Mailbox[In] = Mailbox(inbox)
        self._outbox: Mailbox[Out] = Mailbox(outbox)
        self._stalled_after_s = stalled_after_s

    async def send(self, message: Out) -> None:
        """Queues `message`; waits while the queue is full.

        Raises:
            ExhaustedError: TOO_SLOW, the other side has not read for `stalled_after_s`; the call is lost.
            VivavoceError: the call has failed, or has ended (UnavailableError).
        """
        if self._outbox.offer(message):
            self._outbox.hurry()
            return
        try:
            async with asyncio.timeout(self._stalled_after_s):
                await self._outbox.put(message)
        except TimeoutError:
            error = _too_slow()
            self._fail(error)
            raise error from None
        except Closed:
            raise self._outbox.error or UnavailableError("The call has ended; open a new one.") from None

    def offer(self, message: Out) -> bool:
        """Queues `message` where there is room; False where there is none, or the call has ended. Never waits.

        For sound: among processes it may leave some ms later than what is sent, together with other calls' sound.
        """
        return self._outbox.offer(message)

    async def done_sending(self) -> None:
        """Says that no more will be sent, and waits until all that was queued is handed to gRPC.

        A client half-closes the call by this. A server's call ends when its session returns.
        """
        self._outbox.close()
        await self._outbox.emptied()

    @property
    def waiting(self) -> int:
        """Messages that came in and were not taken yet."""
        return len(self._inbox)

    def __aiter__(self) -> AsyncIterator[In]:
        """The messages that come in, until the other side has sent its last."""
        return self

    async def __anext__(self) -> In:
        """The next message. A failed call raises its error here once what came before it is taken."""
        try:
            return await self._inbox.get()
        except Closed:
            if self._inbox.error:
                raise self._inbox.error from None
            raise StopAsyncIteration from None

    def _fail(self, error: VivavoceError) -> None:
        self._inbox.close(error)
        self._outbox.close(error)


@asynccontextmanager
async def client_stream(
    method: Callable[..., StreamStreamCall[Out, In]],
    *,
    metadata: Metadata = (),
    inbox: int = 64,
    outbox: int = 64,
    stalled_after_s: float = STALLED_AFTER_S,
) -> AsyncIterator[DuplexStream[Out, In]]:
    """Opens the stream `method` of a stub for the length of the block.

    On a normal exit what is queued is sent, the call is half-closed, and the server has some seconds to end it; what
    it still sends is dropped. On an exception the call is cancelled. Either way nothing is left running.
    The call has no deadline; a full inbox holds the server back by flow control.
    """
    stream = DuplexStream[Out, In](inbox=inbox, outbox=outbox, stalled_after_s=stalled_after_s)
    call = method(metadata=metadata)
    if isinstance(call, Within):
        call.connect(stream._inbox, stream._outbox)  # noqa: SLF001 (this file's own class)
    reader = asyncio.create_task(_read_call(call, stream), name="stream reader")
    writer = asyncio.create_task(_write_call(call, stream), name="stream writer")
    try:
        yield stream
        stream._outbox.close()  # noqa: SLF001 (this file's own class)
        stream._inbox.discard()  # noqa: SLF001
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.wait((reader, writer))
    finally:
        call.cancel()
        reader.cancel()
        writer.cancel()
        await _gone(reader, writer)


async def serve_stream(
    requests: AsyncIterator[In],
    session: Callable[[DuplexStream[Out, In]], Awaitable[None]],
    *,
    inbox: int = 64,
    outbox: int = 64,
    stalled_after_s: float = STALLED_AFTER_S,
) -> AsyncGenerator[Out, None]:
    """The responses of a stream handler that runs `session`; a handler returns it as it is.

    The stream ends when the session returns and what it queued is sent; what the session raises ends it as that error.
    A peer that goes away cancels the session. One that does not read makes `send` raise TOO_SLOW; it meets that error
    when it reads again. Handler: `def Converse(self, requests, context): return serve_stream(requests, …)`.
    """
    stream = DuplexStream[Out, In](inbox=inbox, outbox=outbox, stalled_after_s=stalled_after_s)
    call = _this_task()
    tasks = (
        asyncio.create_task(_run(session, stream), name="session"),
        asyncio.create_task(_read_requests(requests, stream), name="request reader"),
    )
    watch = asyncio.create_task(_watch(tasks[0], stream, call), name="stream watch")
    # gRPC drops a generator it no longer wants without closing it; the end of the call's task is what it can't skip.
    call.add_done_callback(lambda _: _cancel(*tasks, watch))
    try:
        while True:
            try:
                yield await stream._outbox.get()  # noqa: SLF001 (this file's own class)
            except Closed:
                break
        await tasks[0]
    finally:
        _cancel(*tasks, watch)
        await _gone(*tasks, watch)


async def next_answer(call: UnaryStreamCall[Any, In], within_s: float) -> In | None:
    """The next answer of a call with one request and many answers; None after the last.

    Raises:
        TimedOutError: none came within `within_s`; the call is cancelled.
        VivavoceError: the call failed.
    """
    try:
        async with asyncio.timeout(within_s):
            answer = await call.read()
    except TimeoutError:
        raise TimedOutError("The answer did not come in time; try again.") from None
    except AioRpcError as error:
        raise from_rpc_error(error) from None
    return None if answer is EOF else answer  # type: ignore[return-value]  # Not EOF: an answer.


async def _read_call(call: StreamStreamCall[Any, In], stream: DuplexStream[Any, In]) -> None:
    inbox = stream._inbox  # noqa: SLF001 (this file's own class)
    try:
        while (message := await call.read()) is not EOF:
            if not inbox.offer(message):  # type: ignore[arg-type]  # Not EOF: a message.
                await inbox.put(message)  # type: ignore[arg-type]
    except AioRpcError as error:
        stream._fail(from_rpc_error(error))  # noqa: SLF001
    except asyncio.CancelledError:
        # grpc raises this too when the call itself was cancelled, which nobody did but the peer or `client_stream`.
        stream._fail(UnavailableError("The call was cancelled; open a new one."))  # noqa: SLF001
        raise
    finally:
        inbox.close()
        # Nobody takes what is left: who waits in `send` or `done_sending` need not wait on.
        stream._outbox.close()  # noqa: SLF001
        stream._outbox.discard()  # noqa: SLF001


async def _write_call(call: StreamStreamCall[Out, Any], stream: DuplexStream[Out, Any]) -> None:
    outbox = stream._outbox  # noqa: SLF001 (this file's own class)
    # A write on a call that has failed tells nothing: the reader has the status.
    with suppress(AioRpcError, InternalError, asyncio.InvalidStateError):
        await call.wait_for_connection()
        write = _write_of(call)
        while True:
            try:
                message = await outbox.get()
            except Closed:
                break
            await write(message)
        await call.done_writing()


def _write_of(call: StreamStreamCall[Out, Any]) -> Callable[[Out], Awaitable[None]]:
    """How to write to `call` without losing its status.

    Where the server ends a call while the client writes, gRPC's own `write` makes the status INTERNAL "Internal error
    from Core" before the server's arrives, in one of some ten such calls. Its inner half fails alike and sets none.
    """
    inner, serialize = getattr(call, "_cython_call", None), getattr(call, "_request_serializer", None)
    if inner is None or serialize is None:
        return call.write

    async def write(message: Out) -> None:
        await inner.send_serialized_message(serialize(message))

    return write


async def _read_requests(requests: AsyncIterator[In], stream: DuplexStream[Any, In]) -> None:
    inbox = stream._inbox  # noqa: SLF001 (this file's own class)
    call = current_call()
    within = call.context if call is not None and isinstance(call.context, Within) else None
    try:
        async for message in requests:
            if not inbox.offer(message):
                await inbox.put(message)
            if within is not None:
                # Only now: the first message is checked on its way here.
                within.connect(inbox, stream._outbox)  # noqa: SLF001
                within = None
    except VivavoceError as error:
        inbox.close(error)
    except Closed:
        return
    except Exception:
        # gRPC raises whatever its parser does.
        inbox.close(InvalidFieldError("A message can't be parsed; send those the contract names."))
    finally:
        inbox.close()


async def _run(session: Callable[[DuplexStream[Out, In]], Awaitable[None]], stream: DuplexStream[Out, In]) -> None:
    call, this = current_call(), _this_task()
    if call is not None:
        call.sessions.running.add(this)
        this.add_done_callback(call.sessions.running.discard)
    try:
        await session(stream)
    finally:
        stream._outbox.close()  # noqa: SLF001 (this file's own class)


async def _watch(session: "asyncio.Task[None]", stream: DuplexStream[Any, Any], call: "asyncio.Task[Any]") -> None:
    """Ends the call of a peer that takes none of what waits for it for too long. Cancelled when all is sent."""
    outbox, looks = stream._outbox, 0  # noqa: SLF001 (this file's own class)
    while looks < _LOOKS:
        first = outbox.first
        await asyncio.sleep(stream._stalled_after_s / _LOOKS)  # noqa: SLF001
        # Where nothing waits and the session has ended, its last message is still on its way.
        stands_still = outbox.first is first and (first is not None or session.done())
        looks = looks + 1 if stands_still else 0
    stream._fail(_too_slow())  # noqa: SLF001
    if current := current_call():
        await current.end(_too_slow())
    else:
        call.cancel()


def _too_slow() -> ExhaustedError:
    return ExhaustedError("The other side does not read; read faster, or reconnect.", reason="TOO_SLOW")


def _cancel(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()


def _this_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None, "a handler runs in a task"
    return task


async def _gone(*tasks: "asyncio.Task[Any]") -> None:
    """Waits for tasks that were cancelled, and takes note of what they raised: it was told by other ways."""
    await asyncio.wait(tasks)
    for task in tasks:
        _noted(task)


def _noted(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
