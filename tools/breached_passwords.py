"""Makes `services/user/breached_passwords.bin` of a list of stolen passwords, one a line, the most common first.

The list in use: of SecLists (MIT licence) the ten-million list's first million. What is kept is six bytes of a hash of
each that is long enough to be set here: the file reveals nobody's password.
"""

import sys
from pathlib import Path

from services.user.domain.people import MIN_PASSWORD_LENGTH
from services.user.password_policy import FILE, digest


def main(source: Path) -> None:
    """Writes the file."""
    passwords = source.read_text(encoding="utf-8", errors="ignore").splitlines()
    digests = {digest(password) for password in passwords if len(password) >= MIN_PASSWORD_LENGTH}
    FILE.write_bytes(b"".join(sorted(digests)))
    print(f"{len(digests)} passwords, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
