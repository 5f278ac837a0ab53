"""What processes and their children take of memory and processor."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Families:
    """Some processes, each with its children."""

    heads: tuple[psutil.Process, ...]

    @classmethod
    def of(cls, process_ids: Iterable[int]) -> "Families":
        """Those with these ids, which run."""
        return cls(tuple(map(psutil.Process, process_ids)))

    def resident_mb(self) -> float:
        """Memory they hold now."""
        return float(sum(each.memory_info().rss for each in self._members())) / 1e6

    def descriptors(self) -> int:
        """Files, sockets and the like that they hold open now."""
        return sum(each.num_fds() for each in self._members())

    def processor_s(self) -> float:
        """Processor time they have used."""
        return float(sum(sum(each.cpu_times()[:2]) for each in self._members()))

    def _members(self) -> list[psutil.Process]:
        return [each for head in self.heads for each in (head, *head.children(recursive=True))]
