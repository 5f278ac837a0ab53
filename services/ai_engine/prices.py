"""Reads the price list."""

from datetime import date
from pathlib import Path
from typing import Any, Final, get_args

import yaml

from mesh.errors import InvalidFieldError
from services.ai_engine.domain.spending import Price, PriceList, Unit

SHIPPED: Final = Path(__file__).parent / "prices.yaml"


def read_prices(path: Path = SHIPPED) -> PriceList:
    """Reads a price list. Raises InvalidFieldError for one that is not; the message says where and what is wrong."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        return PriceList(str(found["currency"]), tuple(_price(row) for row in found["prices"]))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InvalidFieldError(
            f"{path} is not a price list ({type(error).__name__}: {error}); see the one that comes with Vivavoce.",
            field="prices_file",
        ) from error


def _price(row: dict[str, Any]) -> Price:
    per_million = {unit: float(each) for unit, each in row["per_million"].items()}
    if unknown := per_million.keys() - set(get_args(Unit)):
        raise ValueError(f"{min(unknown)} is not a unit")
    if not isinstance(row["since"], date) or min(per_million.values(), default=0.0) < 0:
        raise ValueError(f"the row of {row['provider']} needs a day and prices that are not negative")
    return Price(str(row["provider"]), str(row.get("model", "")), row["since"], per_million)
