"""How calls fail over HTTP, for the OpenAPI document."""

from collections.abc import Mapping
from typing import Any, Final

from vivavoce.type.v1 import error_pb2

_REASONS: Final = [
    name.removeprefix("ERROR_REASON_")
    for name in error_pb2.ErrorReason.keys()  # noqa: SIM118 (an enum wrapper has keys and no iteration)
    if not name.endswith("_UNSPECIFIED")
]

#: Connect error JSON.
FAILURE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Connect error JSON.",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string", "description": "The gRPC status code in lower case, such as `not_found`."},
        "message": {"type": "string", "description": "What happened and what the caller can do, for people."},
        "details": {
            "type": "array",
            "description": "`google.rpc.ErrorInfo`, and `google.rpc.BadRequest` where a field is at fault.",
            "items": {
                "type": "object",
                "required": ["type", "value"],
                "properties": {
                    "type": {"type": "string", "description": "Full name of the message."},
                    "value": {"type": "string", "description": "The message in base64, without padding."},
                    "debug": {
                        "type": "object",
                        "description": "The message as JSON: `reason` (and `metadata`), or `fieldViolations`.",
                        "properties": {
                            "reason": {"type": "string", "description": "Why, for programs.", "examples": _REASONS},
                            "domain": {"type": "string"},
                            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                            "fieldViolations": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "properties": {
                                        "field": {"type": "string", "description": "Path of the field."},
                                        "description": {"type": "string", "description": "What is wrong with it."},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}

_MEANINGS: Final[Mapping[str, str]] = {
    "400": "A field breaks its rule, which the details name; or the thing is not in the state the call needs.",
    "401": "No valid access token, or wrong credentials. Sign in, or refresh the token.",
    "403": "The person may not do this, or the token lacks a scope.",
    "404": "There is no such thing, or it is someone else's.",
    "408": "The request did not come in time.",
    "409": "It exists already, or changed in the meantime.",
    "413": "The body is over 1 MiB.",
    "415": "The body is not JSON, or is compressed.",
    "429": "A limit or a budget is used up. Wait as long as `Retry-After` says, where it is there.",
    "431": "URL and headers are over 16 KiB, or more than 64 headers.",
    "500": "A fault of the server, logged there under the trace id in the details.",
    "503": "Something behind the call can't be reached. Try again after a while.",
    "504": "The time set for the call ran out.",
}
_RETRY: Final = {"Retry-After": {"description": "Seconds to wait, where waiting helps.", "schema": {"type": "integer"}}}

#: By status; every operation may answer with each.
FAILURES: Final[dict[str, Any]] = {
    status: {
        "description": meaning,
        **({"headers": _RETRY} if status in ("429", "503") else {}),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failed"}}},
    }
    for status, meaning in _MEANINGS.items()
}
