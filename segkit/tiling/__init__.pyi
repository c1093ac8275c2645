from .boxes import (
    Box as Box,
    Tile as Tile,
)
from .cutting import (
    ArrayLike as ArrayLike,
    WritableArray as WritableArray,
    join as join,
    map_tiles as map_tiles,
    overlapping_tiles as overlapping_tiles,
    tiles as tiles,
)
from .reaches import (
    HaloWarning as HaloWarning,
    UnknownReachError as UnknownReachError,
    check_halo as check_halo,
    declare_reach as declare_reach,
    declares_reach as declares_reach,
    halo_for as halo_for,
    probe_reach as probe_reach,
    reach as reach,
    unlimited as unlimited,
)

__all__: list[str]
