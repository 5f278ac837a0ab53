"""A program written for OpenAI's service with its Python SDK, which talks with the tutor."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.websocket_reconnection import ReconnectingEvent, ReconnectingOverrides
from websockets.exceptions import ConnectionClosed

from cli.talking.sound import Sound

#: Of the SDK, or of the tutor's own, which the SDK passes on as they are.
Event = Any
RATE = 24_000
FRAME = RATE // 50 * 2
WITHIN_S = 30.0


class Talker:
    """Streams a microphone, and keeps what comes."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[Event] = []
        self.cuts = 0
        self._changed = asyncio.Event()
        self._pending = bytearray()

    async def listen(self) -> None:
        async for event in self.connection:
            self.events.append(event)
            self._changed.set()
            if event.type == "input_audio_buffer.speech_started":
                await self._fall_silent()

    async def capture(self) -> None:
        loop = asyncio.get_running_loop()
        began_at, number = loop.time(), 0
        while True:
            number += 1
            await asyncio.sleep(began_at + number * 0.02 - loop.time())
            frame = bytes(self._pending[:FRAME]).ljust(FRAME, b"\0")
            del self._pending[:FRAME]
            try:
                await self.connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
            except ConnectionClosed:
                continue  # The server restarts, and the SDK connects again: so much is not heard.

    async def _fall_silent(self) -> None:
        """As OpenAI's examples do: the player stops, and the item is truncated to what it had played."""
        deltas = [event for event in self.events if event.type == "response.output_audio.delta"]
        if not deltas:
            return
        item_id = deltas[-1].item_id
        if any(each.type == "conversation.item.truncated" and each.item_id == item_id for each in self.events):
            return
        self.cuts += 1
        await self.connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=600)

    def say(self, sound: Sound) -> None:
        self._pending += sound.at_rate(RATE).pcm

    async def until(self, kind: str, after: int = 0) -> Event:
        """The first event of a kind after so many others."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                for event in self.events[after:]:
                    if event.type == kind:
                        return event
                self._changed.clear()
                await self._changed.wait()

    async def played_out(self, after: int) -> None:
        """Waits until the sound that came after so many events has left the loudspeaker."""
        deltas = [event.delta for event in self.events[after:] if event.type == "response.output_audio.delta"]
        await asyncio.sleep(sum(len(base64.b64decode(each)) for each in deltas) / (RATE * 2) + 0.5)

    @property
    def resume(self) -> dict[str, str]:
        token = next(e.resume for e in reversed(self.events) if e.type in ("tutor.session_started", "tutor.go_away"))
        return {"resume": token, "after": self.events[-1].event_id}


@asynccontextmanager
async def talking(url: str, token: str) -> AsyncIterator[Talker]:
    talker: Talker | None = None

    def come_back(event: ReconnectingEvent) -> ReconnectingOverrides:
        assert talker is not None
        return {"extra_query": {**event.extra_query, **talker.resume}}

    async with (
        AsyncOpenAI(api_key=token, base_url=f"{url}/v1") as client,
        client.realtime.connect(
            model="gpt-realtime",
            extra_query={"scenario": "cafe"},
            on_reconnecting=come_back,
            initial_delay=0.2,
            max_retries=8,
        ) as connection,
        asyncio.TaskGroup() as tasks,
    ):
        talker = Talker(connection)
        going = [tasks.create_task(talker.listen()), tasks.create_task(talker.capture())]
        yield talker
        for task in going:
            task.cancel()
