"""Names for what passes through an interceptor, whose types only the handler knows."""

from typing import Any, TypeAlias

import grpc

#: An async function of request and context, or one that gives an async iterator of responses.
Handler: TypeAlias = Any
#: A message, or an async iterator of messages.
Request: TypeAlias = Any
#: A message, or an async iterator of messages.
Response: TypeAlias = Any
Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
