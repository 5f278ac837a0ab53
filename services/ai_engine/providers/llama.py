"""Any GGUF model file as the tutor, run in this process by llama.cpp."""

import asyncio
import contextlib
import secrets
import threading
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mesh.errors import ProviderError
from mesh.workers import Workers
from services.ai_engine.adapters.beside import beside
from services.ai_engine.domain.roles import Capabilities, ReplyPart, TextDelta, TokensUsed, TutorContext
from services.ai_engine.prompts.prompt import Message, Prompt
from services.ai_engine.prompts.tutor import TutorPrompt
from services.ai_engine.tutor.script import Script

if TYPE_CHECKING:
    import xllamacpp

#: Models below this size lose the thread of a long prompt, and reading it costs them seconds.
_BRIEF_BELOW_BYTES = 600_000_000


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """How the model runs."""

    #: More than one thread was slower beside speech on two processors.
    threads: int = 1
    context_tokens: int = 2048
    most_tokens: int = 96
    #: Estimated tokens a prompt may have. Reading it is what takes the time.
    prompt_tokens: int = 900
    temperature: float = 0.3
    #: Replies that may wait for the one that is being made; more are refused as OVERLOADED.
    waiting: int = 4
    #: Seconds until the first token, waiting included, and between two.
    stall_timeout_s: float = 30.0


class LlamaTutor:
    """A LanguageModel over a GGUF file, one reply at a time. Close it with `aclose` when no longer needed."""

    name = "llama"

    def __init__(
        self, server: "xllamacpp.Server", path: Path, scripts: Mapping[str, Script], options: LlamaOptions
    ) -> None:
        self._server = server
        self._options = options
        self._prompt = TutorPrompt(
            scripts, budget=options.prompt_tokens, brief=path.stat().st_size < _BRIEF_BELOW_BYTES
        )
        self._workers = Workers("llama", threads=1, queue=options.waiting)
        self.capabilities = Capabilities(
            languages=frozenset(),
            local=True,
            label=f"The language model in {path.name}, run locally; small models often talk nonsense.",
            streams_out=True,
        )

    @classmethod
    def load(cls, path: Path, scripts: Mapping[str, Script], options: LlamaOptions | None = None) -> Self:
        """Loads the model; blocks for seconds, so call it in a thread.

        Raises ProviderError where the extra `llama` is not installed or the file is not a model.
        """
        options = options or LlamaOptions()
        return cls(_server(path, options), path, scripts, options)

    async def reply(self, context: TutorContext) -> AsyncGenerator[ReplyPart, None]:
        """Streams the model's answer, then what it cost.

        Closing the iterator stops the model at its next token. Raises OverloadedError when too many replies wait,
        and ProviderError.
        """
        prompt = self.prompt(context)
        answer = _Answer(asyncio.get_running_loop(), self._options.most_tokens)
        generating = asyncio.create_task(self._workers.run(self._generate, prompt.messages, answer))
        generating.add_done_callback(answer.end)
        try:
            while (part := await self._next(answer)) is not None:
                yield part
            await generating
        finally:
            answer.stop()
            generating.cancel()
            await asyncio.gather(generating, return_exceptions=True)
        # The model is busy enough: slips are not asked for, and the summary is picked.
        more = beside(context, prompt, None, corrections=False, source=self.name)
        async with contextlib.aclosing(more):
            async for part in more:
                yield part

    def prompt(self, context: TutorContext) -> Prompt:
        """What is sent for this context (Prompted)."""
        return self._prompt.prompt(context)

    async def aclose(self) -> None:
        """Waits for the reply that is being made, if any, and ends the thread."""
        await self._workers.close()

    async def _next(self, answer: "_Answer") -> ReplyPart | None:
        try:
            async with asyncio.timeout(self._options.stall_timeout_s):
                return await answer.next()
        except TimeoutError:
            raise _failed("took too long; use a smaller model or a faster machine") from None

    def _generate(self, messages: tuple[Message, ...], answer: "_Answer") -> None:
        """Runs in the worker's thread until the model has finished or nobody listens any more."""
        if answer.stopped:
            return
        request = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": self._options.most_tokens,
            "temperature": self._options.temperature,
            "cache_prompt": True,
        }
        try:
            self._server.handle_chat_completions(request, answer.take)
        except (RuntimeError, ValueError):
            # The library's text may repeat the prompt.
            raise _failed("could not answer; the conversation may be longer than its context") from None
        if answer.broken:
            raise _failed("could not answer; the conversation may be longer than its context")


class _Answer:
    """The bridge from the model's thread to the event loop. Bounded by the number of tokens it may hold."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most_tokens: int) -> None:
        self._loop = loop
        self._stop = threading.Event()
        # Room for every token, its beginning and end and the cost: the model's thread never waits for us.
        self._parts: asyncio.Queue[ReplyPart | None] = asyncio.Queue(maxsize=most_tokens + 8)
        self.broken = False

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def take(self, chunk: dict[str, Any]) -> bool:
        """Called in the model's thread for each chunk; True stops the model."""
        if "choices" not in chunk:
            self.broken = True
            return True
        for choice in chunk["choices"]:
            if text := choice["delta"].get("content"):
                self._put(TextDelta(text))
        if usage := chunk.get("usage"):
            self._put(TokensUsed(usage["prompt_tokens"], usage["completion_tokens"]))
        return self._stop.is_set()

    def end(self, _task: "asyncio.Task[None]") -> None:
        """Called in the loop after the last chunk."""
        self._parts.put_nowait(None)

    async def next(self) -> ReplyPart | None:
        return await self._parts.get()

    def _put(self, part: ReplyPart) -> None:
        # A closed loop means that the process is ending: nobody listens.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._parts.put_nowait, part)


def _server(path: Path, options: LlamaOptions) -> "xllamacpp.Server":
    try:
        import xllamacpp
    except ImportError as error:
        raise ProviderError(
            "The local language model needs an extra package; run `pip install 'vivavoce[llama]'`.",
            reason="PROVIDER_MISSING",
        ) from error
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = options.context_tokens
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = options.threads
    parameters.cpuparams_batch.n_threads = options.threads
    parameters.verbosity = -1
    # The library opens a port on the loopback interface that we don't use: nobody else shall either.
    parameters.api_keys = [secrets.token_urlsafe(32)]
    parameters.ui = False
    try:
        return xllamacpp.Server(parameters)
    except (RuntimeError, ValueError) as error:
        raise ProviderError(
            f"{path.name} can't be loaded as a language model; give a GGUF file that fits into memory.",
            reason="PROVIDER_MISSING",
        ) from error


def _failed(problem: str) -> ProviderError:
    return ProviderError(f"The local language model {problem}.", metadata={"provider": "llama"})
