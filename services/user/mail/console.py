"""Shows letters on the terminal, for who tries things out."""

from typing import TextIO

from services.user.mail.letters import Letter


class ConsoleCarrier:
    """Writes to the terminal itself, never to a log: letters hold links that work."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    async def carry(self, letter: Letter) -> None:
        """See `Carrier`."""
        self._terminal.write(f"\nMail to {letter.to}: {letter.subject}\n\n{letter.text}\n")
        self._terminal.flush()

    async def forget(self, address: str) -> None:
        """See `Carrier`: nothing is kept."""
