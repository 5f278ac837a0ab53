"""Any OpenAI-compatible chat endpoint (OpenAI, Ollama, vLLM, LM Studio …) as the tutor."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services.ai_engine.adapters.beside import Wish, beside
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.tool_calls import CALL_TOKENS, StreamedCalls, schema_of
from services.ai_engine.domain.roles import Capabilities, ReplyPart, TextDelta, TokensUsed, TutorContext
from services.ai_engine.prompts.prompt import Message, Prompt
from services.ai_engine.prompts.turn_mark import with_marks
from services.ai_engine.prompts.tutor import BUDGET, TutorPrompt
from services.ai_engine.tutor.script import Script

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam


@dataclass(frozen=True, slots=True)
class OpenAiEndpoint:
    """Where the model is and how long it may take."""

    base_url: str
    model: str
    #: Empty where the endpoint asks for none.
    api_key: str = ""
    #: Seconds until the connection stands.
    connect_timeout_s: float = 3.0
    #: Seconds until the first token, and between two.
    stall_timeout_s: float = 10.0
    temperature: float = 0.6
    most_tokens: int = 160
    #: Estimated tokens a prompt may have; what is said before them is summarised.
    prompt_tokens: int = BUDGET
    #: Name the provider goes by.
    name: str = "openai"
    #: Whether slips are asked for beside the answer; needs structured outputs.
    corrections: bool = False
    #: Whether the model tells before its answer if the learner had finished.
    turn_marks: bool = False

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI itself, whose newer models refuse what all the others want."""
        return urlsplit(self.base_url).hostname == "api.openai.com"


class OpenAiTutor:
    """A LanguageModel behind an OpenAI-compatible endpoint. Close it with `aclose` when no longer needed."""

    def __init__(self, endpoint: OpenAiEndpoint, scripts: Mapping[str, Script]) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._faults = Faults(endpoint.name, f"The endpoint of the language model {endpoint.model}")
        self._prompt = TutorPrompt(scripts, budget=endpoint.prompt_tokens)
        self._client = _client(endpoint)
        self.capabilities = Capabilities(
            languages=frozenset(),
            local=False,
            paid=True,
            model=endpoint.model,
            label=f"The language model {endpoint.model} at an OpenAI-compatible endpoint; it may be wrong.",
            streams_out=True,
        )

    async def reply(self, context: TutorContext) -> AsyncGenerator[ReplyPart, None]:
        """Streams the model's answer, then what it cost where the endpoint tells.

        Closing the iterator closes the HTTP stream. Raises ProviderError; its message never holds what was said.
        """
        prompt = self.prompt(context)
        chunks = self._chunks(prompt.messages, _tools(context))
        calls = StreamedCalls(context.tools, self._faults)
        finished = spoken = False
        async with aclosing(chunks):
            async for chunk in chunks:
                for choice in chunk.choices:
                    finished = finished or choice.finish_reason is not None
                    if choice.delta.content:
                        spoken = True
                        yield TextDelta(choice.delta.content)
                    for call in choice.delta.tool_calls or ():
                        if call.function is not None:
                            calls.feed(call.index, call.function.name or "", call.function.arguments or "")
                if chunk.usage is not None:
                    yield TokensUsed(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        if not finished:
            raise self._faults.failed("broke off in the middle of its answer; say it again", "CUT_OFF")
        for called in calls.called():
            yield called
        if not spoken and not calls:
            raise self._faults.failed("gave an empty answer; check that the model is a chat model", "EMPTY")
        more = beside(context, prompt, self.grant, corrections=self._endpoint.corrections, source=self.name)
        async with aclosing(more):
            async for part in more:
                yield part

    def prompt(self, context: TutorContext) -> Prompt:
        """What is sent for this context (Prompted)."""
        prompt = self._prompt.prompt(context)
        return with_marks(prompt) if self._endpoint.turn_marks and context.turn else prompt

    async def probe(self) -> None:
        """Asks whether the endpoint is there and takes the key, which costs nothing. Raises ProviderError."""
        try:
            await self._client.models.list()
        except Exception as error:
            raise self._faults.of(error) from None

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _chunks(
        self, messages: tuple[Message, ...], tools: Mapping[str, Any]
    ) -> "AsyncGenerator[ChatCompletionChunk, None]":
        """The chunks of one answer, each within the stall timeout, with errors translated."""
        try:
            async with asyncio.timeout(self._endpoint.connect_timeout_s + self._endpoint.stall_timeout_s):
                stream = await self._ask(messages, tools)
            async with stream:
                chunks = aiter(stream)
                while True:
                    # A timeout must not stand across a yield, so each step has its own.
                    async with asyncio.timeout(self._endpoint.stall_timeout_s):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        return
                    yield chunk
        except Exception as error:
            raise self._faults.of(error) from None

    async def _ask(self, messages: tuple[Message, ...], tools: Mapping[str, Any]) -> "AsyncStream[ChatCompletionChunk]":
        chunks: AsyncStream[ChatCompletionChunk] = await self._client.chat.completions.create(
            model=self._endpoint.model,
            messages=[each for message in messages for each in _params(message, with_tools=bool(tools))],
            stream=True,
            stream_options={"include_usage": True},
            **self._bounds(CALL_TOKENS if tools else 0),
            **tools,
        )
        return chunks

    async def grant(self, wish: Wish) -> tuple[str, TokensUsed]:
        """The answer to a wish, in one piece (Granting). Raises ProviderError."""
        asked = self._bounds()
        if wish.schema is not None:
            shape = {"name": "answer", "schema": wish.schema, "strict": True}
            asked["response_format"] = {"type": "json_schema", "json_schema": shape}
        try:
            answer = await self._client.chat.completions.create(
                model=self._endpoint.model,
                messages=[{"role": "system", "content": wish.instructions}, {"role": "user", "content": wish.text}],
                **asked,
            )
            usage = answer.usage
            used = TokensUsed(usage.prompt_tokens, usage.completion_tokens) if usage else TokensUsed(0, 0)
            return answer.choices[0].message.content or "", used
        except Exception as error:
            raise self._faults.of(error) from None

    def _bounds(self, more: int = 0) -> dict[str, Any]:
        endpoint = self._endpoint
        if endpoint.is_openai:
            return {"max_completion_tokens": endpoint.most_tokens + more}
        return {"max_tokens": endpoint.most_tokens + more, "temperature": endpoint.temperature}


def _client(endpoint: OpenAiEndpoint) -> "AsyncOpenAI":
    import openai  # Half a second to import: only who asks for this provider pays.

    # A retry would come after the learner has stopped waiting; the engine decides what to do instead.
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key or "none",
        max_retries=0,
        timeout=openai.Timeout(endpoint.stall_timeout_s, connect=endpoint.connect_timeout_s),
    )


def _tools(context: TutorContext) -> dict[str, Any]:
    """What is asked besides where functions may be called."""
    tools = context.tools
    if not tools.tools:
        return {}
    one = {"type": "function", "function": {"name": tools.only}}
    return {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": schema_of(tool.parameters),
                },
            }
            for tool in tools.tools
        ],
        "tool_choice": one if context.tool_choice == "required" and tools.only else context.tool_choice,
    }


def _params(message: Message, *, with_tools: bool) -> "Iterator[ChatCompletionMessageParam]":
    if not message.uses or not with_tools:
        yield _param(message)
        return
    yield {
        "role": "assistant",
        "tool_calls": [
            {"type": "function", "id": f"call_{n}", "function": {"name": use.name, "arguments": use.arguments}}
            for n, use in enumerate(message.uses)
        ],
    }
    for n, use in enumerate(message.uses):
        yield {"role": "tool", "tool_call_id": f"call_{n}", "content": use.output}


def _param(message: Message) -> "ChatCompletionMessageParam":
    match message.role:
        case "system":
            return {"role": "system", "content": message.content}
        case "user":
            return {"role": "user", "content": message.content}
        case "assistant":
            return {"role": "assistant", "content": message.content}
