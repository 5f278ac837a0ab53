"""What the engine used and how its providers did, as the domain has it, within what can be."""

from math import isfinite
from typing import Final

from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb

from services.history.domain.happenings import Attempt, Cost, Used

#: No reply costs more than a thousand of any currency.
_HIGHEST_MICROS: Final = 1_000_000_000
#: No reply takes more attempts, or providers.
_MOST_ATTEMPTS: Final = 256
#: The words of the domain for what the contract has numbers for.
ROLES: Final = {
    catalog_pb.PROVIDER_ROLE_UNSPECIFIED: "other",
    catalog_pb.PROVIDER_ROLE_RECOGNIZER: "recognizer",
    catalog_pb.PROVIDER_ROLE_LANGUAGE_MODEL: "language_model",
    catalog_pb.PROVIDER_ROLE_SYNTHESIZER: "synthesizer",
    catalog_pb.PROVIDER_ROLE_SPEECH_TO_SPEECH: "speech_to_speech",
}
_OUTCOMES: Final = {
    engine_pb.ATTEMPT_OUTCOME_ANSWERED: "answered",
    engine_pb.ATTEMPT_OUTCOME_FAILED: "failed",
    engine_pb.ATTEMPT_OUTCOME_ABANDONED: "abandoned",
}


def to_used(usage: engine_pb.Usage) -> Used:
    """What was used. Attempts whose end is not told are left out."""
    return Used(
        cost_micros=_within_reason(usage.cost_micros),
        currency=usage.currency,
        costs=tuple(
            Cost(each.provider, _within_reason(each.cost_micros), each.unknown)
            for each in usage.provider_costs[:_MOST_ATTEMPTS]
        ),
        attempts=tuple(
            Attempt(
                provider=each.provider,
                role=ROLES.get(each.role, "other"),
                outcome=_OUTCOMES[each.outcome],
                cause=each.cause,
                first_ms=each.first_ms if each.HasField("first_ms") and isfinite(each.first_ms) else None,
                count=min(max(each.count, 1), _MOST_ATTEMPTS),
            )
            for each in usage.provider_attempts[:_MOST_ATTEMPTS]
            if each.outcome in _OUTCOMES
        ),
    )


def _within_reason(cost_micros: int) -> int:
    return min(max(cost_micros, 0), _HIGHEST_MICROS)
