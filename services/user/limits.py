"""Bounds how often one place, or one account, may ask for what costs something."""

from collections.abc import Mapping

from mesh.origin import client_address
from mesh.rates import Rates
from services.user.domain.acts import Act
from services.user.domain.networks import network_of


class Limits:
    """Each `Act` has a rate by place, and some have one by account; see the settings."""

    def __init__(self, rates: Rates, *, by_place: Mapping[Act, str], by_account: Mapping[Act, str]) -> None:
        self._rates = rates
        self._by_place = by_place
        self._by_account = by_account

    async def place(self, act: Act) -> None:
        """Counts one more from the client's network. A client in this process is not counted.

        Raises:
            RateLimitedError: there were too many from there.
        """
        if network := network_of(await client_address()):
            await self._rates.admit(self._by_place[act], "place", act.value, network)

    async def account(self, act: Act, account: str) -> None:
        """Counts one more of an account, by its id or what stands for its address.

        Raises:
            RateLimitedError: there were too many.
        """
        await self._rates.admit(self._by_account[act], "account", act.value, account)
