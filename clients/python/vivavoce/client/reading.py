"""A loudspeaker for programs that read what the tutor says: all that came counts as heard."""

_BYTES_A_SAMPLE = 2


class Reader:
    """Plays nothing."""

    def __init__(self) -> None:
        self._reply_id = ""
        self._samples = 0

    def play(self, reply_id: str, first_sample: int, pcm: bytes) -> None:
        """More of a reply came."""
        if reply_id != self._reply_id:
            self._reply_id, self._samples = reply_id, 0
        self._samples = max(self._samples, first_sample + len(pcm) // _BYTES_A_SAMPLE)

    def end(self, reply_id: str) -> None:
        """All of a reply has come."""

    def pause(self) -> None:
        """Nothing sounds."""

    def resume(self, from_sample: int) -> None:
        """Nothing sounds."""

    def drop(self) -> None:
        """The reply is over."""
        self._reply_id, self._samples = "", 0

    def played(self) -> tuple[str, int]:
        """The current reply and the samples of it that came."""
        return self._reply_id, self._samples
