"""Reads the price list."""

from datetime import date
from pathlib import Path
from typing import Any, Final, get_args

import yaml

from mesh.errors import InvalidFieldError
from services.ai_engine.domain.spending import Price, PriceList, Unit
from services.ai_engine.yaml_text import parsed

#: The units by the amounts they are priced for, as they are named there, and what makes each a price for a million.
_AMOUNTS: Final[dict[str, tuple[dict[str, Unit], float]]] = {
    "per_million": ({unit: unit for unit in get_args(Unit)}, 1.0),
    "per_thousand": ({"characters": "characters"}, 1000.0),
    "per_minute": ({"audio": "audio_seconds"}, 1_000_000 / 60),
}
SHIPPED: Final = Path(__file__).parent / "prices.yaml"


def read_prices(path: Path = SHIPPED) -> PriceList:
    """Reads a price list. Raises InvalidFieldError for one that is not; the message says where and what is wrong."""
    try:
        found: Any = parsed(path.read_text(encoding="utf-8"))
        return PriceList(str(found["currency"]), tuple(_price(row) for row in found["prices"]))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InvalidFieldError(
            f"{path} is not a price list ({type(error).__name__}: {error}); see the one that comes with Vivavoce.",
            field="prices_file",
        ) from error


def _price(row: dict[str, Any]) -> Price:
    per_million: dict[Unit, float] = {}
    for amount, (units, times) in _AMOUNTS.items():
        for named, each in row.get(amount, {}).items():
            if named not in units:
                raise ValueError(f"{named} is not a unit of {amount}")
            per_million[units[named]] = float(each) * times
    if not isinstance(row["since"], date) or not per_million or min(per_million.values()) < 0:
        raise ValueError(f"the row of {row['provider']} needs a day and prices that are not negative")
    return Price(
        str(row["provider"]),
        str(row.get("model", "")),
        row["since"],
        per_million,
        source=str(row.get("source", "")),
        confirmed=not row.get("unconfirmed", False),
    )
