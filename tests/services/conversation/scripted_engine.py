"""An engine behind the real contract that hears by loudness and says what a test tells it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

import grpc
import numpy as np
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as service_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import (
    AiEngineServiceServicer,
    add_AiEngineServiceServicer_to_server,
)
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.errors import PreconditionError
from mesh.peers import SERVICE_NAMES
from mesh.server import Service
from mesh.streams import DuplexStream, serve_stream

Stream = DuplexStream[service_pb.RunResponse, service_pb.RunRequest]

_LOUD = 1000
_FRAME = 320


@dataclass
class Script:
    """What the engine does; tests change it at any time."""

    #: What is recognised, the last one for ever.
    transcripts: list[str] = field(default_factory=lambda: ["I would like a coffee, please."])
    #: What is replied, the last one for ever.
    replies: list[str] = field(default_factory=lambda: ["Of course. Anything else?"])
    probability: float = 1.0
    reply_s: float = 0.4
    piece_s: float = 0.04
    #: Replies wait for this.
    may_reply: asyncio.Event = field(default_factory=asyncio.Event)
    tutor_state: str = "state"
    #: What each reply is said to have used.
    usage: engine_pb.Usage | None = None
    #: What is remarked on each turn.
    remark: feedback_pb.Remark | None = None
    #: What the lines so far were about, told with the next reply.
    summary: engine_pb.TalkSummary | None = None
    refuse: Exception | None = None
    #: A speech-to-speech provider that is not here.
    refuses: str = ""
    #: Set to make every open stream fail.
    fail: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[service_pb.RunRequest] = field(default_factory=list)
    streams: int = 0
    open_streams: int = 0

    def asked_for(self, command: str) -> list[service_pb.RunRequest]:
        return [request for request in self.asked if request.WhichOneof("command") == command]


class _Run:
    def __init__(self, script: Script, stream: Stream, group: asyncio.TaskGroup) -> None:
        self._script = script
        self._stream = stream
        self._group = group
        self._speaking = False
        self._rate_hz = 24_000
        self._making: dict[str, asyncio.Task[None]] = {}

    async def take(self, request: service_pb.RunRequest) -> None:
        match request.WhichOneof("command"):
            case "configure":
                await self._configure(request.configure)
            case "append_audio":
                await self._hear(request.append_audio)
            case "recognize":
                asked = request.recognize
                await self._send(
                    transcript_revised=engine_pb.TranscriptRevised(
                        turn_id=asked.turn_id, revision=asked.revision, text=_next(self._script.transcripts)
                    )
                )
            case "respond":
                self._make(request.respond.reply_id, _next(self._script.replies))
            case "speak":
                self._make(request.speak.reply_id, request.speak.text)
            case "assess" if self._script.remark is not None:
                asked_about = request.assess
                await self._send(
                    remark_found=engine_pb.RemarkFound(
                        turn_id=asked_about.turn_id, revision=asked_about.revision, remark=self._script.remark
                    )
                )
            case "cancel":
                if task := self._making.pop(request.cancel.reply_id, None):
                    task.cancel()
            case _:
                pass

    async def _configure(self, asked: engine_pb.Configure) -> None:
        if self._script.refuse:
            raise self._script.refuse
        if self._script.refuses and asked.engine.speech_to_speech == self._script.refuses:
            raise PreconditionError("There is nobody of that name here.", reason="PROVIDER_MISSING")
        self._rate_hz = asked.output_audio.sample_rate_hz
        await self._send(
            configured=engine_pb.Configured(
                engine=engine_pb.EngineSelection(
                    kind=engine_pb.ENGINE_KIND_PIPELINED, recognizer="r", language_model="l", synthesizer="s"
                ),
                output_audio=asked.output_audio,
                labels=["Scripted."],
                local=True,
            )
        )

    async def _hear(self, audio: engine_pb.AppendAudio) -> None:
        # Frames may come joined.
        for begin in range(0, len(audio.pcm), 2 * _FRAME):
            await self._hear_frame(audio.first_sample + begin // 2, audio.pcm[begin : begin + 2 * _FRAME])

    async def _hear_frame(self, at_sample: int, pcm: bytes) -> None:
        loud = bool(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max(initial=0) > _LOUD)
        if loud and not self._speaking:
            self._speaking = True
            await self._send(speech_started=engine_pb.SpeechStarted(at_sample=at_sample))
        elif self._speaking and not loud:
            self._speaking = False
            await self._send(speech_ended=engine_pb.SpeechEnded(at_sample=at_sample))
            await self._send(
                turn_end_estimated=engine_pb.TurnEndEstimated(at_sample=at_sample, probability=self._script.probability)
            )

    def _make(self, reply_id: str, text: str) -> None:
        self._making[reply_id] = self._group.create_task(self._reply(reply_id, text))

    async def _reply(self, reply_id: str, text: str) -> None:
        end = engine_pb.REPLY_END_CANCELLED
        total = 0
        try:
            await self._script.may_reply.wait()
            await self._send(reply_text_produced=engine_pb.ReplyTextProduced(reply_id=reply_id, text=text))
            pieces = max(1, round(self._script.reply_s / self._script.piece_s))
            words = text.split()
            count = int(self._script.piece_s * self._rate_hz)
            each = pieces * count // max(1, len(words))
            for place in range(pieces):
                here = [n for n in range(len(words)) if place * count <= n * each < (place + 1) * count]
                times = [
                    audio_pb.WordTime(text=words[n], start_sample=n * each, end_sample=(n + 1) * each) for n in here
                ]
                await self._send(
                    reply_audio_produced=engine_pb.ReplyAudioProduced(
                        reply_id=reply_id, first_sample=total, pcm=b"\x00\x20" * count, words=times
                    )
                )
                total += count
            end = engine_pb.REPLY_END_COMPLETE
        finally:
            self._making.pop(reply_id, None)
            if self._script.summary is not None:
                summarised = engine_pb.TalkSummarised(reply_id=reply_id, summary=self._script.summary)
                self._stream.offer(service_pb.RunResponse(talk_summarised=summarised))
            finished = engine_pb.ReplyFinished(
                reply_id=reply_id,
                end=end,
                total_samples=total,
                tutor_state=self._script.tutor_state,
                usage=self._script.usage,
            )
            self._stream.offer(service_pb.RunResponse(reply_finished=finished))

    async def _send(self, **event: object) -> None:
        await self._stream.send(service_pb.RunResponse(**event))  # type: ignore[arg-type]  # One of its events.


class ScriptedEngine(AiEngineServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    def Run(
        self,
        request_iterator: AsyncIterator[service_pb.RunRequest],
        context: grpc.aio.ServicerContext[service_pb.RunRequest, AsyncIterator[service_pb.RunResponse]],
    ) -> AsyncIterator[service_pb.RunResponse]:
        return serve_stream(request_iterator, self._run)

    async def _run(self, stream: Stream) -> None:
        self._script.streams += 1
        self._script.open_streams += 1
        try:
            async with asyncio.TaskGroup() as group:
                failing = group.create_task(self._fail())
                run = _Run(self._script, stream, group)
                async for request in stream:
                    if request.WhichOneof("command") != "append_audio":
                        self._script.asked.append(request)
                    await run.take(request)
                failing.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            self._script.open_streams -= 1

    async def _fail(self) -> None:
        await self._script.fail.wait()
        raise self._script.refuse or RuntimeError("the test made the engine fail")


def engine_service(script: Script) -> Service:
    engine = ScriptedEngine(script)  # type: ignore[abstract]  # Only Run is needed.
    return Service(SERVICE_NAMES["ai_engine"], partial(add_AiEngineServiceServicer_to_server, engine))


def _next(texts: list[str]) -> str:
    return texts.pop(0) if len(texts) > 1 else texts[0]
