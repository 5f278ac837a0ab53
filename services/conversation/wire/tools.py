"""A client's functions, from the contract and to it."""

import json
import re
from typing import Final

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb

from mesh.errors import InvalidFieldError
from services.conversation.domain.tools import NO_TOOLS, Tool, ToolChoice, ToolSet, ToolUse

LONGEST_OUTPUT: Final = 8192
_MOST: Final = 32
_LONGEST_DESCRIPTION: Final = 1024
_LONGEST_PARAMETERS: Final = 8192
#: All functions of a session together, in characters.
_LONGEST: Final = 32_768
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def to_tools(message: engine_pb.ToolSet, field: str) -> ToolSet:
    """The functions of a message that stood in `field`.

    Raises:
        InvalidFieldError: one breaks a rule, has the name of another, or there are too many.
    """
    if len(message.tools) > _MOST:
        raise _invalid(f"{field}.tools", f"must be at most {_MOST}")
    tools = tuple(_tool(each, f"{field}.tools[{place}]") for place, each in enumerate(message.tools))
    names = {tool.name for tool in tools}
    if len(names) < len(tools):
        raise _invalid(f"{field}.tools", "must each have another name")
    if sum(len(tool.name) + len(tool.description) + len(tool.parameters) for tool in tools) > _LONGEST:
        raise _invalid(f"{field}.tools", f"must have at most {_LONGEST} characters in all")
    if message.choice not in engine_pb.ToolChoice.values():
        raise _invalid(f"{field}.choice", "must be a value of the contract")
    if message.only and message.only not in names:
        raise _invalid(f"{field}.only", "must be the name of one of the functions")
    return ToolSet(tools, ToolChoice(message.choice), message.only)


def from_tools(tools: ToolSet) -> engine_pb.ToolSet | None:
    """The same as a message; None where there are none."""
    if tools == NO_TOOLS or not tools.tools:
        return None
    return engine_pb.ToolSet(
        tools=[
            engine_pb.Tool(name=each.name, description=each.description, parameters_json=each.parameters)
            for each in tools.tools
        ],
        choice=engine_pb.ToolChoice.ValueType(tools.choice),
        only=tools.only,
    )


def from_use(use: ToolUse) -> engine_pb.ToolUse:
    """A call and what came of it, as a message."""
    return engine_pb.ToolUse(name=use.call.name, arguments_json=use.call.arguments, output=use.output)


def _tool(message: engine_pb.Tool, field: str) -> Tool:
    if not _NAME.fullmatch(message.name):
        raise _invalid(f"{field}.name", 'must have 1 to 64 letters, digits, "_" or "-"')
    if len(message.description) > _LONGEST_DESCRIPTION:
        raise _invalid(f"{field}.description", f"must have at most {_LONGEST_DESCRIPTION} characters")
    parameters = message.parameters_json
    if len(parameters) > _LONGEST_PARAMETERS or not (parameters == "" or _is_object(parameters)):
        raise _invalid(f"{field}.parameters_json", f"must be a JSON object of at most {_LONGEST_PARAMETERS} characters")
    return Tool(message.name, message.description, parameters)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _invalid(field: str, rule: str) -> InvalidFieldError:
    return InvalidFieldError(f"{field} {rule}.", field=field)
