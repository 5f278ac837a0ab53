"""Claude as the tutor, through Anthropic's own SDK."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, assert_never

from services.ai_engine.adapters.beside import Wish, beside
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.tool_calls import CALL_TOKENS, StreamedCalls, schema_of
from services.ai_engine.domain.roles import (
    Capabilities,
    ReplyPart,
    TextDelta,
    TokensUsed,
    ToolChoice,
    TutorContext,
)
from services.ai_engine.prompts.prompt import Message, Prompt
from services.ai_engine.prompts.turn_mark import with_marks
from services.ai_engine.prompts.tutor import BUDGET, TutorPrompt
from services.ai_engine.tutor.script import Script

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import MessageParam, RawMessageStreamEvent


_FAULTS: Final = Faults("anthropic", "Claude")
_ARRIVED: Final = "(The learner arrives.)"


@dataclass(frozen=True, slots=True)
class ClaudeOptions:
    """Which Claude, and how long it may take."""

    model: str
    api_key: str
    base_url: str = "https://api.anthropic.com"
    connect_timeout_s: float = 3.0
    #: Seconds until the first token, and between two.
    stall_timeout_s: float = 10.0
    most_tokens: int = 200
    #: Estimated tokens a prompt may have; what is said before them is summarised.
    prompt_tokens: int = BUDGET
    #: Whether slips are asked for beside the answer.
    corrections: bool = False
    #: Whether the model tells before its answer if the learner had finished.
    turn_marks: bool = False


class ClaudeTutor:
    """A LanguageModel that asks Claude. Close it with `aclose` when no longer needed."""

    name = "anthropic"

    def __init__(self, options: ClaudeOptions, scripts: Mapping[str, Script]) -> None:
        """Raises PreconditionError PROVIDER_MISSING where the extra `anthropic` is not installed."""
        self._options = options
        self._prompt = TutorPrompt(scripts, budget=options.prompt_tokens)
        self._client = _client(options)
        self.capabilities = Capabilities(
            languages=frozenset(),
            local=False,
            label=f"Anthropic's language model {options.model}; it may be wrong.",
            streams_out=True,
            paid=True,
            model=options.model,
        )

    async def reply(self, context: TutorContext) -> AsyncGenerator[ReplyPart, None]:
        """Streams the answer, then what it cost.

        Closing the iterator closes the HTTP stream. Raises ProviderError; its message never holds what was said.
        """
        prompt = self.prompt(context)
        answer = self._answer(context, prompt.messages)
        async with aclosing(answer):
            async for part in answer:
                yield part
        more = beside(context, prompt, self.grant, corrections=self._options.corrections, source=self.name)
        async with aclosing(more):
            async for part in more:
                yield part

    def prompt(self, context: TutorContext) -> Prompt:
        """What is sent for this context (Prompted): a chat in which the user speaks first."""
        prompt = self._prompt.prompt(context)
        system, *chat = prompt.messages
        begun = (Message("user", _ARRIVED),) if chat[0].role == "assistant" else ()
        prompt = replace(prompt, messages=(system, *begun, *chat))
        return with_marks(prompt) if self._options.turn_marks and context.turn else prompt

    async def probe(self) -> None:
        """Asks whether the service is there and takes the key, which costs nothing. Raises ProviderError."""
        try:
            await self._client.models.list(limit=1)
        except Exception as error:
            raise _FAULTS.of(error) from None

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _answer(self, context: TutorContext, messages: tuple[Message, ...]) -> AsyncGenerator[ReplyPart, None]:
        read = written = 0
        spoken, stopped = False, ""
        calls = StreamedCalls(context.tools, _FAULTS)
        events = self._events(messages, _tools(context))
        async with aclosing(events):
            async for event in events:
                match event.type:
                    case "message_start":
                        read = event.message.usage.input_tokens
                    case "content_block_delta":
                        if event.delta.type == "text_delta" and event.delta.text:
                            spoken = True
                            yield TextDelta(event.delta.text)
                        elif event.delta.type == "input_json_delta":
                            calls.feed(event.index, "", event.delta.partial_json)
                    case "content_block_start":
                        if event.content_block.type == "tool_use":
                            calls.feed(event.index, event.content_block.name, "")
                    case "message_delta":
                        # Counted up over the whole message.
                        written = event.usage.output_tokens
                        stopped = event.delta.stop_reason or stopped
                    case "content_block_stop" | "message_stop":
                        pass
                    case never:
                        assert_never(never)
        yield TokensUsed(read, written)
        if not stopped:
            raise _FAULTS.failed("broke off in the middle of its answer; say it again", "CUT_OFF")
        if stopped == "refusal":
            raise _FAULTS.failed("did not want to answer this; say something else", "REFUSED")
        for called in calls.called():
            yield called
        if not spoken and not calls:
            raise _FAULTS.failed("gave an empty answer; say it again", "EMPTY")

    async def _events(
        self, messages: tuple[Message, ...], tools: Mapping[str, Any]
    ) -> "AsyncGenerator[RawMessageStreamEvent, None]":
        """The events of one answer, each within the stall timeout, with errors translated."""
        options, (system, *chat) = self._options, messages
        try:
            async with asyncio.timeout(options.connect_timeout_s + options.stall_timeout_s):
                stream = await self._client.messages.create(
                    model=options.model,
                    max_tokens=options.most_tokens + (CALL_TOKENS if tools else 0),
                    system=system.content,
                    messages=[each for message in chat for each in _params(message, with_tools=bool(tools))],
                    stream=True,
                    **tools,
                )
            async with stream:
                events = aiter(stream)
                while True:
                    # A timeout must not stand across a yield, so each step has its own.
                    async with asyncio.timeout(options.stall_timeout_s):
                        event = await anext(events, None)
                    if event is None:
                        return
                    yield event
        except Exception as error:
            raise _FAULTS.of(error) from None

    async def grant(self, wish: Wish) -> tuple[str, TokensUsed]:
        """The answer to a wish, in one piece (Granting). Raises ProviderError."""
        shape: Any = (
            {"output_config": {"format": {"type": "json_schema", "schema": wish.schema}}} if wish.schema else {}
        )
        try:
            answer = await self._client.messages.create(
                model=self._options.model,
                max_tokens=self._options.most_tokens * 2,
                system=wish.instructions,
                messages=[{"role": "user", "content": wish.text}],
                **shape,
            )
        except Exception as error:
            raise _FAULTS.of(error) from None
        written = "".join(block.text for block in answer.content if block.type == "text")
        return written, TokensUsed(answer.usage.input_tokens, answer.usage.output_tokens)


def _client(options: ClaudeOptions) -> "AsyncAnthropic":
    with _FAULTS.imported("anthropic"):
        import anthropic  # Seconds and 75 MB to import: only who asks for this provider pays.

    # A retry would come after the learner has stopped waiting; the engine decides what to do instead.
    return anthropic.AsyncAnthropic(
        api_key=options.api_key,
        base_url=options.base_url,
        max_retries=0,
        timeout=anthropic.Timeout(options.stall_timeout_s, connect=options.connect_timeout_s),
    )


def _tools(context: TutorContext) -> dict[str, Any]:
    """What is asked besides where functions may be called."""
    tools = context.tools
    if not tools.tools:
        return {}
    return {
        "tools": [
            {"name": tool.name, "description": tool.description, "input_schema": schema_of(tool.parameters)}
            for tool in tools.tools
        ],
        "tool_choice": _choice(context.tool_choice, tools.only),
    }


def _choice(choice: ToolChoice, only: str) -> dict[str, str]:
    match choice:
        case "auto" | "none":
            return {"type": choice}
        case "required":
            return {"type": "tool", "name": only} if only else {"type": "any"}
        case never:
            assert_never(never)


def _params(message: Message, *, with_tools: bool) -> "Iterator[MessageParam]":
    if not message.uses or not with_tools:
        yield _param(message)
        return
    numbered = list(enumerate(message.uses))
    yield {
        "role": "assistant",
        "content": [
            {"type": "tool_use", "id": f"call_{n}", "name": use.name, "input": json.loads(use.arguments)}
            for n, use in numbered
        ],
    }
    yield {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": f"call_{n}", "content": use.output} for n, use in numbered],
    }


def _param(message: Message) -> "MessageParam":
    if message.role == "assistant":
        return {"role": "assistant", "content": message.content}
    return {"role": "user", "content": message.content}
