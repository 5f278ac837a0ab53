"""What stands at every door of an account."""

from dataclasses import dataclass

from services.user.audit import Audit
from services.user.limits import Limits
from services.user.proof import Proof


@dataclass(frozen=True, slots=True)
class Guard:
    """Proof of who comes in, a bound on how often they try, and a note of what happened."""

    proof: Proof
    limits: Limits
    audit: Audit
