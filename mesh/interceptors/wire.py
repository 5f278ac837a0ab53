"""Names for what passes through an interceptor, whose types only the handler knows."""

from typing import Any, TypeAlias

from mesh.calls import Context

__all__ = ["Context", "Handler", "Request", "Response"]

#: An async function of request and context, or one that gives an async iterator of responses.
Handler: TypeAlias = Any
#: A message, or an async iterator of messages.
Request: TypeAlias = Any
#: A message, or an async iterator of messages.
Response: TypeAlias = Any
