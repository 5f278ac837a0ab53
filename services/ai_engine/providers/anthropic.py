"""Claude as the tutor, through Anthropic's own SDK."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, assert_never

from mesh.errors import ProviderError
from services.ai_engine.adapters.beside import Wish, beside
from services.ai_engine.domain.roles import Capabilities, ReplyPart, TextDelta, TokensUsed, TutorContext
from services.ai_engine.prompts.prompt import Message, Prompt
from services.ai_engine.prompts.turn_mark import with_marks
from services.ai_engine.prompts.tutor import BUDGET, TutorPrompt
from services.ai_engine.tutor.script import Script

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import MessageParam, RawMessageStreamEvent


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
        """Raises ProviderError PROVIDER_MISSING where the extra `anthropic` is not installed."""
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
        answer = self._answer(prompt.messages)
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
            raise _translated(error, self._options, begun=False) from None

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _answer(self, messages: tuple[Message, ...]) -> AsyncGenerator[ReplyPart, None]:
        read = written = 0
        spoken, stopped = False, ""
        events = self._events(messages)
        async with aclosing(events):
            async for event in events:
                match event.type:
                    case "message_start":
                        read = event.message.usage.input_tokens
                    case "content_block_delta":
                        if event.delta.type == "text_delta" and event.delta.text:
                            spoken = True
                            yield TextDelta(event.delta.text)
                    case "message_delta":
                        # Counted up over the whole message.
                        written = event.usage.output_tokens
                        stopped = event.delta.stop_reason or stopped
                    case "content_block_start" | "content_block_stop" | "message_stop":
                        pass
                    case never:
                        assert_never(never)
        yield TokensUsed(read, written)
        if not stopped:
            raise _failed("broke off in the middle of its answer; say it again", "CUT_OFF")
        if stopped == "refusal":
            raise _failed("did not want to answer this; say something else", "REFUSED")
        if not spoken:
            raise _failed("gave an empty answer; say it again", "EMPTY")

    async def _events(self, messages: tuple[Message, ...]) -> "AsyncGenerator[RawMessageStreamEvent, None]":
        """The events of one answer, each within the stall timeout, with errors translated."""
        options, (system, *chat) = self._options, messages
        begun = False
        try:
            async with asyncio.timeout(options.connect_timeout_s + options.stall_timeout_s):
                stream = await self._client.messages.create(
                    model=options.model,
                    max_tokens=options.most_tokens,
                    system=system.content,
                    messages=[_param(message) for message in chat],
                    stream=True,
                )
            begun = True
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
            raise _translated(error, options, begun=begun) from None

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
            raise _translated(error, self._options, begun=False) from None
        written = "".join(block.text for block in answer.content if block.type == "text")
        return written, TokensUsed(answer.usage.input_tokens, answer.usage.output_tokens)


def _client(options: ClaudeOptions) -> "AsyncAnthropic":
    try:
        import anthropic  # Seconds and 75 MB to import: only who asks for this provider pays.
    except ImportError as error:
        raise ProviderError(
            "Claude needs an extra package; run `pip install 'vivavoce[anthropic]'`.", reason="PROVIDER_MISSING"
        ) from error
    # A retry would come after the learner has stopped waiting; the engine decides what to do instead.
    return anthropic.AsyncAnthropic(
        api_key=options.api_key,
        base_url=options.base_url,
        max_retries=0,
        timeout=anthropic.Timeout(options.stall_timeout_s, connect=options.connect_timeout_s),
    )


def _param(message: Message) -> "MessageParam":
    if message.role == "assistant":
        return {"role": "assistant", "content": message.content}
    return {"role": "user", "content": message.content}


def _translated(error: Exception, options: ClaudeOptions, *, begun: bool) -> ProviderError:
    """Our error for theirs. Theirs is dropped: its text may repeat the prompt."""
    import anthropic

    match error:
        case anthropic.AuthenticationError() | anthropic.PermissionDeniedError():
            return _failed("refused the API key; check the key and what it may use", "KEY_REFUSED")
        case anthropic.NotFoundError():
            return _failed(f"does not know the model {options.model!r}; check its name", "NOT_FOUND")
        case anthropic.RateLimitError():
            return _failed("has no capacity left for this key; wait a moment or raise the limit", "LIMITED")
        case anthropic.APITimeoutError() | TimeoutError():
            return _failed("took too long; try again, or choose a faster model", "TIMED_OUT")
        case anthropic.APIConnectionError() if not begun:
            return _failed("can't be reached; check the network and the base URL", "UNREACHABLE")
        case anthropic.APIStatusError() if error.status_code == 529:
            return _failed("is overloaded; try again after a while", "LIMITED")
        case anthropic.APIStatusError():
            return _failed(f"answered with HTTP status {error.status_code}; look at its status page", "STATUS")
        case _:
            # A cut connection, or garbage in the stream, which the SDK passes on as whatever the parser raised.
            return _failed("broke off or sent what is not its protocol; try again", "BROKEN")


def _failed(problem: str, cause: str) -> ProviderError:
    return ProviderError(f"Claude {problem}.", metadata={"provider": "anthropic", "cause": cause})
