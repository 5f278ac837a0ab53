"""Relays share the outbox fairly, and each part is carried by one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.conversation.domain.sharing import PARTS, Lease, part_of, share

NOW = datetime(2026, 11, 27, tzinfo=UTC)
LATER = NOW + timedelta(seconds=3)


def test_a_relay_that_is_alone_carries_everything() -> None:
    leases = [Lease(part, "", NOW) for part in range(PARTS)]
    mine = share("a", leases, 1, NOW)
    assert mine.alone
    assert mine.parts == set(range(PARTS))


def test_who_came_first_lets_go_of_half_for_the_second() -> None:
    leases = [Lease(part, "a", LATER) for part in range(PARTS)]
    assert len(share("a", leases, 2, NOW).parts) == PARTS // 2
    assert share("b", leases, 2, NOW).parts == frozenset()


def test_what_a_relay_that_vanished_carried_is_taken_over_when_its_lease_is_over() -> None:
    leases = [Lease(part, "gone", NOW) for part in range(PARTS)]
    assert len(share("b", leases, 1, NOW).parts) == PARTS
    still = [Lease(part, "gone", NOW + timedelta(microseconds=1)) for part in range(PARTS)]
    assert share("b", still, 2, NOW).parts == frozenset()


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=60))
def test_however_relays_come_and_go_no_part_is_carried_twice_and_soon_all_are(turns: list[str]) -> None:
    owners = [""] * PARTS
    seen: set[str] = set()

    def take_turn(name: str) -> None:
        seen.add(name)
        leases = [Lease(part, owner, LATER if owner else NOW) for part, owner in enumerate(owners)]
        mine = share(name, leases, len(seen), NOW).parts
        for part, owner in enumerate(owners):
            if part in mine:
                assert owner in ("", name)
                owners[part] = name
            elif owner == name:
                owners[part] = ""

    for name in turns:
        take_turn(name)
    for _ in range(2):
        for name in sorted(seen):
            take_turn(name)
    assert all(owners)
    assert max(owners.count(name) for name in seen) <= -(-PARTS // len(seen))


def test_conversations_are_spread_over_all_parts() -> None:
    assert {part_of(f"cnv_{number}") for number in range(500)} == set(range(PARTS))
