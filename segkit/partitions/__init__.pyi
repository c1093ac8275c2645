from .oversegmentation import (
    superpixel_regions as superpixel_regions,
    watershed_regions as watershed_regions,
)
from .partition import (
    Partition as Partition,
    grid_regions as grid_regions,
    labelled_regions as labelled_regions,
    window_regions as window_regions,
)
from .points import (
    interest_points as interest_points,
)

__all__: list[str]
