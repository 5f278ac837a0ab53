"""Records sessions with a real mesh: scripted learners, and one who tries everything else."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.client.access import Access
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from cli.compose import MeshOptions, RunningMesh, run_mesh
from cli.simulation.live import play_live, stored_in
from cli.simulation.reading import FOLDER as SCRIPTS
from cli.simulation.reading import read_script
from cli.simulation.voice import voice_of_mesh
from cli.talk import signed_in
from cli.talking.wires import Wire, open_grpc
from mesh.audio import HEARING_HZ, SPEECH_HZ
from tests.emulators.openai_chat import openai_chat
from tools.vectors.failures import record_failures
from tools.vectors.recording import Recording

Request = conversation_pb.ConverseRequest
Responses = AsyncIterator[conversation_pb.ConverseResponse]

#: The scripted learner of each recorded session.
SCRIPTED: Final = {
    "spoken_turns": "order_a_coffee",
    "interruption": "interrupts",
    "cough": "coughs_over_the_tutor",
    "resumption": "cut_while_the_tutor_speaks",
    "pauses": "hesitates_once",
    "push_to_talk": "push_to_talk",
    "held_turn": "holds_and_commits",
    "repetition": "repeats_slowly",
}
_SCHEMA: Final = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
_WAIT_S: Final = 30.0
#: Tokens hold so long where one is renewed; the server warns half-way.
_ACCESS_S: Final = 8


async def record() -> None:
    """Records everything anew."""
    async with _mesh({}) as mesh:
        for name, script in SCRIPTED.items():
            await _scripted(mesh, name, script)
        await _everything_else(mesh)
        await record_failures(mesh)
    await _function_call()
    await _stop_of_the_server()


@asynccontextmanager
async def _mesh(overrides: dict[str, dict[str, object]]) -> AsyncIterator[RunningMesh]:
    with tempfile.TemporaryDirectory(prefix="vivavoce-vectors-") as folder:
        async with run_mesh(MeshOptions(Path(folder), overrides=overrides)) as mesh:
            yield mesh


async def _scripted(mesh: RunningMesh, name: str, script: str) -> None:
    recording = Recording()
    async with signed_in(mesh.grpc, "") as (channel, access):
        dial = partial(recording.dial, partial(open_grpc, channel, access.token))
        stored = stored_in(channel, access.token)
        story = await play_live(
            read_script(SCRIPTS / f"{script}.yaml"), dial, voice_of_mesh(channel, access.token), stored
        )
    if story.broken:
        raise RuntimeError(f"{script} was to be recorded, and broke off: {story.broken}")
    recording.write(name)


async def _everything_else(mesh: RunningMesh) -> None:
    """Written turns, what is asked for by hand, and what goes wrong."""
    recording = Recording()
    async with _opened(mesh, recording) as (wire, responses, _):
        await wire.send(Request(ping=converse_pb.Ping(nonce=7)))
        await _until(responses, "pong")
        first = converse_pb.SubmitText(text="A large tea, please.", request_id="req_mine")
        await wire.send(Request(submit_text=first))
        reply = (await _until(responses, "reply_started")).reply_started.reply_id
        await _until(responses, "reply_audio")
        await wire.send(Request(report_played=converse_pb.ReportPlayed(reply_id=reply, samples=2400)))
        await wire.send(Request(cancel_reply=converse_pb.CancelReply(reply_id=reply)))
        await _until(responses, "reply_finished")
        await wire.send(Request(submit_text=converse_pb.SubmitText(text="And a cake.", reply_later=True)))
        await _until(responses, "turn_committed")
        await wire.send(Request(ask_reply=converse_pb.AskReply()))
        await _until(responses, "reply_audio_ended")
        await wire.send(Request(ask_reply=converse_pb.AskReply(aside="What is a scone?")))
        await _until(responses, "reply_audio_ended")
        await wire.send(Request(discard_turn=converse_pb.DiscardTurn()))
        slower = settings_pb.ConversationSettings(patience=learner_pb.PATIENCE_PATIENT)
        await wire.send(Request(change_settings=converse_pb.ChangeSettings(settings=slower)))
        unknown = settings_pb.ConversationSettings(engine=engine_pb.EngineSelection(recognizer="nobody"))
        await wire.send(Request(change_settings=converse_pb.ChangeSettings(settings=unknown)))
        await _until(responses, "error_raised")
        await wire.send(Request(end_session=converse_pb.EndSession(end_conversation=True)))
        await _until(responses, "session_ended")
    recording.write("everything_else")


async def _function_call() -> None:
    """A language model has a function carried out and says what came of it; a second answer is an error."""
    recording = Recording()
    weather = engine_pb.Tool(name="weather", description="Tells the weather of a city.", parameters_json=_SCHEMA)
    async with openai_chat() as model:
        model.words, model.calls = ("It will rain.",), (("weather", '{"city": "Kyoto"}'),)
        engine: dict[str, object] = {"language_models": ("openai",), "openai_base_url": model.base_url}
        async with _mesh({"ai_engine": engine}) as mesh, _opened(mesh, recording) as (wire, responses, _):
            tools = engine_pb.ToolSet(tools=[weather], choice=engine_pb.TOOL_CHOICE_REQUIRED, only="weather")
            await wire.send(Request(set_tools=converse_pb.SetTools(tools=tools)))
            await wire.send(Request(submit_text=converse_pb.SubmitText(text="Will it rain in Kyoto?")))
            call_id = (await _until(responses, "tool_called")).tool_called.call_id
            result = converse_pb.SubmitToolResult(call_id=call_id, output="Rain, all day.")
            await wire.send(Request(submit_tool_result=result))
            await _until(responses, "reply_audio_ended")
            await wire.send(Request(submit_tool_result=result))
            await _until(responses, "error_raised")
            await wire.send(Request(end_session=converse_pb.EndSession()))
            await _until(responses, "session_ended")
    recording.write("function_call")


async def _stop_of_the_server() -> None:
    """Access is renewed during the talk; then the server stops."""
    recording = Recording()
    ended = asyncio.Event()

    async def talk(mesh: RunningMesh, ready: asyncio.Event) -> None:
        async with _opened(mesh, recording) as (wire, responses, access):
            await _until(responses, "access_expiring")
            await wire.send(Request(refresh_access=converse_pb.RefreshAccess(access_token=await access.renew())))
            await wire.send(Request(ping=converse_pb.Ping(nonce=1)))
            await _until(responses, "pong")
            ready.set()
            await _until(responses, "session_ended")
            ended.set()

    async with asyncio.TaskGroup() as tasks:
        async with _mesh({"user": {"access_lifetime_s": _ACCESS_S}}) as mesh:
            ready = asyncio.Event()
            tasks.create_task(talk(mesh, ready), name="talk")
            await ready.wait()
        await ended.wait()
    recording.write("stop_of_the_server")


@asynccontextmanager
async def _opened(mesh: RunningMesh, recording: Recording) -> AsyncIterator[tuple[Wire, Responses, Access]]:
    """A recorded session in which the tutor waits for the learner."""
    async with signed_in(mesh.grpc, "") as (channel, access):
        opened: Callable[[], AbstractAsyncContextManager[Wire]] = partial(open_grpc, channel, access.token)
        async with recording.dial(opened) as wire:
            await wire.send(Request(start_session=_start()))
            responses = aiter(wire)
            await _until(responses, "session_started")
            yield wire, responses, access


def _start() -> converse_pb.StartSession:
    settings = settings_pb.ConversationSettings(
        scenario_id="cafe", initiative=settings_pb.TUTOR_INITIATIVE_ANSWERS, level=learner_pb.CEFR_LEVEL_B1
    )
    return converse_pb.StartSession(
        new_conversation=settings, input_audio=_pcm(HEARING_HZ), output_audio=_pcm(SPEECH_HZ), client="vectors"
    )


def _pcm(rate_hz: int) -> audio_pb.AudioFormat:
    return audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=rate_hz)


async def _until(responses: Responses, event: str) -> conversation_pb.ConverseResponse:
    async with asyncio.timeout(_WAIT_S):
        async for response in responses:
            if response.WhichOneof("event") == event:
                return response
    raise RuntimeError(f"the session ended without {event}")
