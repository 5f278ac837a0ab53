"""The kinds of columns that are summed up."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.int64]
#: Places in another column, in whatever width: a year has millions.
Rows: TypeAlias = NDArray[np.integer[Any]]
Bits: TypeAlias = NDArray[np.uint8]
Held: TypeAlias = NDArray[np.bool_]
