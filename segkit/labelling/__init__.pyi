from .labels import (
    TileLabels as TileLabels,
    label as label,
    label_tile as label_tile,
    relabel_tile as relabel_tile,
)
from .merging import merge_tiles as merge_tiles
from .seams import (
    adjacent_tiles as adjacent_tiles,
    find_seam as find_seam,
)
from .summary import (
    Seam as Seam,
    TileSummary as TileSummary,
)

__all__: list[str]
