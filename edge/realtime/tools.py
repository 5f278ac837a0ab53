"""The functions a client of the dialect offers, from its JSON to the contract and back."""

import json
from typing import Any, Final

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb

from edge.realtime.fields import Fields
from edge.realtime.refused import RefusedEventError, invalid, unsupported

#: What the contract takes.
_MOST: Final = 32
_LONGEST_DESCRIPTION: Final = 1024
_LONGEST_PARAMETERS: Final = 8192
_LONGEST: Final = 32_768
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_CHOICES: Final = {
    "auto": engine_pb.TOOL_CHOICE_UNSPECIFIED,
    "none": engine_pb.TOOL_CHOICE_NONE,
    "required": engine_pb.TOOL_CHOICE_REQUIRED,
}
_NAMES: Final = {choice: name for name, choice in _CHOICES.items()}


def read_tools(fields: Fields, before: engine_pb.ToolSet) -> engine_pb.ToolSet:
    """`before` with what `tools` and `tool_choice` of `fields` set.

    Raises:
        RefusedEventError: they can't be meant, or are more than the tutor takes.
    """
    found = engine_pb.ToolSet()
    found.CopyFrom(before)
    if "tools" in fields:
        del found.tools[:]
        found.tools.extend(map(_tool, fields.parts("tools", at_most=_MOST)))
    if "tool_choice" in fields:
        found.choice, found.only = _choice(fields)
    names = {tool.name for tool in found.tools}
    if len(names) < len(found.tools):
        raise invalid("Each function must have another name.", fields.path("tools"))
    if sum(len(each.name) + len(each.description) + len(each.parameters_json) for each in found.tools) > _LONGEST:
        raise _too_long("All functions", _LONGEST, fields.path("tools"))
    if found.only and found.only not in names:
        if "tool_choice" in fields:
            raise invalid("tool_choice must name one of the tools.", fields.path("tool_choice"))
        found.choice, found.only = engine_pb.TOOL_CHOICE_UNSPECIFIED, ""
    return found


def tools_json(tools: engine_pb.ToolSet) -> dict[str, Any]:
    """The same two fields of a session in the dialect."""
    return {
        "tools": [
            {
                "type": "function",
                "name": each.name,
                "description": each.description,
                "parameters": json.loads(each.parameters_json or "{}"),
            }
            for each in tools.tools
        ],
        "tool_choice": {"type": "function", "name": tools.only} if tools.only else _NAMES[tools.choice],
    }


def _tool(fields: Fields) -> engine_pb.Tool:
    if fields.text("type", longest=64) != "function":
        raise unsupported(
            "The tutor calls functions only, no servers of the Model Context Protocol.", fields.path("type")
        )
    name = fields.text("name", longest=64)
    if not name or not _LETTERS.issuperset(name):
        raise invalid('A function\'s name has letters, digits, "_" and "-".', fields.path("name"))
    parameters = ""
    if "parameters" in fields:
        fields.part("parameters")
        parameters = json.dumps(fields.raw("parameters"), separators=(",", ":"), ensure_ascii=False)
    if len(parameters) > _LONGEST_PARAMETERS:
        raise _too_long("The schema", _LONGEST_PARAMETERS, fields.path("parameters"))
    description = fields.text("description", "", longest=_LONGEST_DESCRIPTION)
    return engine_pb.Tool(name=name, description=description, parameters_json=parameters)


def _choice(fields: Fields) -> tuple[engine_pb.ToolChoice.ValueType, str]:
    if isinstance(fields.raw("tool_choice"), str):
        return _CHOICES[fields.word("tool_choice", tuple(_CHOICES))], ""
    named = fields.part("tool_choice")
    named.word("type", ("function",))
    return engine_pb.TOOL_CHOICE_REQUIRED, named.text("name", longest=64)


def _too_long(what: str, longest: int, path: str) -> RefusedEventError:
    return RefusedEventError("string_above_max_length", f"{what} may have {longest} characters.", path)
