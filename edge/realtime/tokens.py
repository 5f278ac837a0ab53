"""Packs what a connection needs to begin, beside a secret, into one word: resume tokens and ephemeral keys."""

import base64
import json
from typing import Any, Final

from edge.realtime.fields import Fields
from edge.realtime.refused import RefusedEventError
from edge.realtime.session import Chosen, updated
from mesh.errors import InvalidFieldError

#: What ephemeral keys begin with, by which the SDKs know them.
EPHEMERAL: Final = "ek_"
_LONGEST: Final = 8192
#: Functions are left out where they would make it longer than this: it travels in addresses.
_COMFORTABLE: Final = 4096


def pack(secret: str, chosen: Chosen) -> str:
    """One word of both. What was chosen is no secret: it is the client's own, and is checked when it comes back."""
    session = chosen.as_json("")
    word = _packed(secret, session)
    if len(word) <= _COMFORTABLE:
        return word
    return _packed(secret, {name: value for name, value in session.items() if name not in ("tools", "tool_choice")})


def _packed(secret: str, session: dict[str, Any]) -> str:
    written = json.dumps({"k": secret, "s": session}, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(written.encode()).rstrip(b"=").decode()


def unpack(word: str, field: str) -> tuple[str, Chosen]:
    """The secret and what was chosen.

    Raises:
        InvalidFieldError: it is no word of `pack`; `field` says where it stood.
    """
    try:
        if len(word) > _LONGEST:
            raise ValueError
        found: Any = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        fields = Fields(found, "")
        chosen, _ = updated(Chosen(), fields.part("s"))
        return fields.text("k", longest=512), chosen
    except (ValueError, RecursionError, RefusedEventError):
        raise InvalidFieldError(f"The {field} is none; connect anew.", field=field) from None
