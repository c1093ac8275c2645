from .labels import (
    TileLabels as TileLabels,
    label as label,
    label_tile as label_tile,
    relabel_tile as relabel_tile,
)
from .merging import (
    Seam as Seam,
    TileSummary as TileSummary,
    adjacent_tiles as adjacent_tiles,
    find_seam as find_seam,
    merge_tiles as merge_tiles,
)

__all__: list[str]
