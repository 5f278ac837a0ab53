"""Until when an access token lets its holder stay."""

from datetime import UTC, datetime

import jwt


def expires_at(token: str) -> datetime:
    """When a token that was verified before expires."""
    payload = jwt.decode(token, options={"verify_signature": False})
    return datetime.fromtimestamp(payload["exp"], UTC)
