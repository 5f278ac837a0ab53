"""`viva prompt`: what a language model is sent, for a learner and a role-play, or for a conversation that is kept."""

from typing import Annotated, Literal

import grpc
import typer
from google.protobuf.json_format import MessageToDict
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_service_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.type.v1 import learner_pb2 as learner_pb

from cli.options import command_line
from cli.output import console, print_json, told_kindly
from cli.talk import check_listening, signed_in
from mesh.channel import call_metadata
from mesh.server import run
from mesh.wire_errors import from_rpc_error

app = command_line("What language models are sent.")

_CALL_S = 10.0


@app.callback()
def prompt() -> None:
    """Keeps `show` a command of its own."""


@app.command()
def show(
    scenario: Annotated[str, typer.Option(help="Role-play by id; free talk if not given.")] = "",
    level: Annotated[Literal["A1", "A2", "B1", "B2", "C1", "C2"] | None, typer.Option(help="The learner's.")] = None,
    language: Annotated[str, typer.Option(help="Language being learnt, BCP 47.")] = "en",
    native: Annotated[str, typer.Option(help="The learner's own language, BCP 47.")] = "",
    name: Annotated[str, typer.Option(help="Name of the learner.")] = "",
    goal: Annotated[list[str] | None, typer.Option(help="What they want to reach; may be repeated.")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="Something known about them; may be repeated.")] = None,
    due: Annotated[list[str] | None, typer.Option(help="A word due for review; may be repeated.")] = None,
    conversation: Annotated[
        str,
        typer.Option(help="A conversation of the token's owner, in place of all that; its prompt as it stands now."),
    ] = "",
    say: Annotated[str, typer.Option(help="What the learner says; the tutor opens if not given.")] = "",
    model: Annotated[str, typer.Option(help="Language model by name; the first that takes prompts if not given.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts, and nothing else.")] = False,
    address: Annotated[str, typer.Option(help="gRPC address of the mesh.")] = "127.0.0.1:50051",
    token: Annotated[str, typer.Option(help="Access token; a guest's if not given.", envvar="VIVAVOCE_TOKEN")] = "",
) -> None:
    """Print exactly what would be sent, without sending it."""
    learner = engine_pb.LearnerProfile(
        target_language=language,
        native_language=native,
        level=learner_pb.CefrLevel.Value(f"CEFR_LEVEL_{level}") if level else learner_pb.CEFR_LEVEL_UNSPECIFIED,
        display_name=name,
        goals=goal or (),
    )
    context = engine_pb.TutorContext(learner=learner, scenario_id=scenario, facts=fact or (), due_items=due or ())
    request = engine_service_pb.PreviewPromptRequest(context=context, language_model=model, turn_text=say)
    with told_kindly():
        check_listening(address)
        answer = run(_previewed(request, conversation, address, token))
    if as_json:
        print_json(MessageToDict(answer, preserving_proto_field_name=True))
        return
    console().print(answer.prompt, markup=False, highlight=False, soft_wrap=True)
    console().print(f"\n({_about(answer)})", markup=False, highlight=False, soft_wrap=True)


async def _previewed(
    request: engine_service_pb.PreviewPromptRequest, conversation_id: str, address: str, token: str
) -> engine_service_pb.PreviewPromptResponse:
    async with signed_in(address, token) as (channel, access):
        metadata = call_metadata(access.token)
        try:
            if conversation_id:
                wanted = conversation_pb.GetTutorContextRequest(conversation_id=conversation_id)
                stub = ConversationServiceStub(channel)
                known = await stub.GetTutorContext(wanted, metadata=metadata, timeout=_CALL_S)
                request.context.CopyFrom(known.context)
            return await AiEngineServiceStub(channel).PreviewPrompt(request, metadata=metadata, timeout=_CALL_S)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


def _about(answer: engine_service_pb.PreviewPromptResponse) -> str:
    told = f"{answer.template_version}, about {answer.estimated_tokens} of {answer.token_budget} tokens"
    if answer.dropped_line_count:
        told += f"; {answer.dropped_line_count} older lines do not fit, and are summarised with the next reply"
    if not answer.language_model:
        return f"{told}. No language model is configured; this is what one would be sent."
    return f"{told}; for {answer.language_model}"
