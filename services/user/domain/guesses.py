"""How long who guesses passwords has to wait: longer each time, never for good."""

from dataclasses import dataclass
from typing import Final

#: Everyone mistypes: so many wrong passwords cost no wait.
FREE: Final = 5
_FIRST_WAIT_S: Final = 1
#: After so long without one, wrong passwords are forgotten.
FORGOTTEN_US: Final = 86_400_000_000
#: The longest wait: where the account was logged in from before, and anywhere else.
LONGEST_KNOWN_S: Final = 900
LONGEST_STRANGE_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Guesses:
    """Passwords tried one after another and not found right, and when the last one was."""

    count: int
    last_us: int

    def wait_us(self, now_us: int, longest_s: int) -> int:
        """How long the next one has to wait; 0 if it need not."""
        if self.count < FREE or now_us - self.last_us >= FORGOTTEN_US:
            return 0
        # The exponent is bounded too: a count can grow for as long as somebody tries.
        delay_s = min(longest_s, _FIRST_WAIT_S << min(self.count - FREE, 20))
        return max(0, self.last_us + delay_s * 1_000_000 - now_us)

    def one_more(self, now_us: int) -> "Guesses":
        """After another one."""
        forgotten = now_us - self.last_us >= FORGOTTEN_US
        return Guesses(1 if forgotten else self.count + 1, now_us)
