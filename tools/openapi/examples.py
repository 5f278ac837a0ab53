"""Examples of bodies, by RPC; a test sends each of them through the contract's rules."""

from collections.abc import Mapping
from typing import Any, Final

EXAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "RegisterUser": {
        "email": "ada@example.org",
        "password": "a long sentence nobody guesses",
        "profile": {"displayName": "Ada", "nativeLanguage": "fr", "level": "CEFR_LEVEL_A2"},
        "client": "curl",
    },
    "CreateGuest": {"client": "curl"},
    "LogIn": {"email": "ada@example.org", "password": "a long sentence nobody guesses", "client": "curl"},
    "RefreshTokens": {"refreshToken": "vvr_…"},
    "UpdateUser": {"profile": {"level": "CEFR_LEVEL_B1", "goals": ["a job interview in May"]}},
    "UpgradeGuest": {"email": "ada@example.org", "password": "a long sentence nobody guesses"},
    "CreateConversation": {"settings": {"scenarioId": "cafe"}},
    "UpdateConversation": {"conversation": {"title": "Ordering tea"}},
    "SynthesizeLine": {"text": "A large tea, please."},
    "SearchTurns": {"query": "large tea"},
    "CreateAccessKey": {"name": "my phone", "scopes": ["SCOPE_TALK", "SCOPE_READ"]},
    "DeleteUser": {"currentPassword": "a long sentence nobody guesses"},
}
