"""A prompt: what is sent to a language model, and what of the talk it leaves out."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from services.ai_engine.domain.roles import Line, ToolUse, TutorContext
from services.ai_engine.prompts.budget import estimated_tokens


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str
    #: Functions the model called here, and what they answered; `content` says the same in words.
    uses: tuple[ToolUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A chat for a language model."""

    messages: tuple[Message, ...]
    #: Of the template.
    version: str
    #: Estimated tokens it may have.
    budget: int
    #: The oldest lines, which did not fit.
    dropped: tuple[Line, ...] = ()
    #: The lines to summarise now: those that did not fit and some more, so that the next prompts begin alike. Models
    #: that remember the beginning of a prompt answer the sooner.
    due: tuple[Line, ...] = ()

    @property
    def tokens(self) -> int:
        """Estimated tokens it has."""
        return sum(estimated_tokens(message.content) for message in self.messages)

    def as_text(self) -> str:
        """The messages, each under the name of its role."""
        return "\n\n".join(f"[{message.role}]\n{message.content}" for message in self.messages)


@runtime_checkable
class Prompted(Protocol):
    """A language model that is sent prompts, and can tell which."""

    def prompt(self, context: TutorContext) -> Prompt:
        """Exactly what is sent for this context."""
        ...
