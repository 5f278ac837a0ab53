"""The bounded queue below every stream."""

import asyncio
from itertools import pairwise
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import NotFoundError
from mesh.mailbox import Closed, Mailbox

Message: TypeAlias = tuple[int, int]


async def put_all(mailbox: Mailbox[int], messages: list[int]) -> None:
    for message in messages:
        await mailbox.put(message)


async def take_all(mailbox: Mailbox[int]) -> list[int]:
    taken = []
    try:
        while True:
            taken.append(await mailbox.get())
    except Closed:
        return taken


async def test_a_full_mailbox_makes_its_putter_wait_and_keeps_the_order() -> None:
    mailbox = Mailbox[int](2)
    putting = asyncio.create_task(put_all(mailbox, list(range(10))))
    await asyncio.sleep(0)
    assert len(mailbox) == 2
    taken = [await mailbox.get() for _ in range(10)]
    await putting
    assert taken == list(range(10))


async def test_an_offer_does_not_overtake_a_putter_that_waits() -> None:
    mailbox = Mailbox[int](1)
    assert mailbox.offer(1)
    putting = asyncio.create_task(mailbox.put(2))
    await asyncio.sleep(0)
    assert not mailbox.offer(3)
    assert await mailbox.get() == 1
    await putting
    assert await mailbox.get() == 2


async def test_an_offer_does_not_overtake_a_putter_whose_turn_has_just_come() -> None:
    mailbox = Mailbox[int](1)
    assert mailbox.offer(1)
    putting = asyncio.create_task(mailbox.put(2))
    await asyncio.sleep(0)
    assert await mailbox.get() == 1
    assert not mailbox.offer(3)  # The putter has not run since.
    assert await mailbox.get() == 2
    await putting


async def test_what_finds_nothing_before_it_is_handed_on_without_anybody_in_between() -> None:
    near, far = Mailbox[int](2), Mailbox[str](2)
    near.hand_on(far, str)
    assert [near.offer(number) for number in range(4)] == [True, True, True, False]
    assert await far.get() == "0"
    assert [await near.get() for _ in range(2)] == [1, 2]


async def test_emptied_returns_when_all_is_taken() -> None:
    mailbox = Mailbox[int](2)
    mailbox.offer(1)
    mailbox.offer(2)
    waiting = asyncio.create_task(mailbox.emptied())
    await mailbox.get()
    await asyncio.sleep(0)
    assert not waiting.done()
    await mailbox.get()
    await waiting


async def test_what_was_put_before_the_close_can_be_taken_after_it() -> None:
    mailbox = Mailbox[int](4)
    mailbox.offer(1)
    mailbox.close(NotFoundError("Gone."))
    assert not mailbox.offer(2)
    assert await take_all(mailbox) == [1]
    assert isinstance(mailbox.error, NotFoundError)


async def test_a_close_wakes_all_who_wait() -> None:
    mailbox = Mailbox[int](1)
    mailbox.offer(1)
    putters = [asyncio.create_task(mailbox.put(2)) for _ in range(3)]
    await asyncio.sleep(0)
    mailbox.close()
    for putter in putters:
        with pytest.raises(Closed):
            await putter
    assert await take_all(mailbox) == [1]


async def test_a_putter_that_is_cancelled_gives_its_turn_to_the_next() -> None:
    mailbox = Mailbox[int](1)
    mailbox.offer(1)
    first, second = (asyncio.create_task(mailbox.put(number)) for number in (2, 3))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    assert await mailbox.get() == 1
    await second
    assert await mailbox.get() == 3


async def test_a_taker_that_is_cancelled_loses_no_message() -> None:
    mailbox = Mailbox[int](1)
    taker = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    mailbox.offer(1)
    taker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taker
    assert await mailbox.get() == 1


async def test_a_mailbox_that_discards_holds_nobody() -> None:
    mailbox = Mailbox[int](1)
    mailbox.offer(1)
    putting = asyncio.create_task(put_all(mailbox, [2, 3, 4]))
    await asyncio.sleep(0)
    mailbox.discard()
    await putting
    assert len(mailbox) == 0


async def carry(near: Mailbox[Message], far: Mailbox[Message]) -> None:
    while True:
        await far.put(await near.get())


@given(
    bound=st.integers(1, 4),
    putters=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    on_the_way=st.integers(1, 3),
    seed=st.integers(0),
)
def test_every_message_arrives_once_and_in_the_order_of_its_putter(
    bound: int, putters: list[int], on_the_way: int, seed: int
) -> None:
    async def run() -> list[Message]:
        pauses = Random(seed)
        way = [Mailbox[Message](bound) for _ in range(on_the_way)]
        carriers = [asyncio.create_task(carry(near, far)) for near, far in pairwise(way)]
        for near, far in pairwise(way):
            near.hand_on(far, lambda message: message)

        async def put(putter: int, count: int) -> None:
            for number in range(count):
                if pauses.random() < 0.3:
                    await asyncio.sleep(0)
                if not way[0].offer((putter, number)):
                    await way[0].put((putter, number))

        putting = [asyncio.create_task(put(putter, count)) for putter, count in enumerate(putters)]
        taken = []
        async with asyncio.timeout(5):
            for _ in range(sum(putters)):
                if pauses.random() < 0.3:
                    await asyncio.sleep(0)
                taken.append(await way[-1].get())
            await asyncio.gather(*putting)
        for carrier in carriers:
            carrier.cancel()
        return taken

    taken = asyncio.run(run())
    for putter, count in enumerate(putters):
        assert [number for who, number in taken if who == putter] == list(range(count))
