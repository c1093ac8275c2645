from .boundaries import (
    expand_labels as expand_labels,
    find_boundaries as find_boundaries,
    join_segmentations as join_segmentations,
)
from .instances import (
    compare_tiles as compare_tiles,
    instance_tile as instance_tile,
    merge_instance_tiles as merge_instance_tiles,
    merge_instances as merge_instances,
)
from .region_growing import (
    random_walker as random_walker,
    tiled_random_walker as tiled_random_walker,
    tiled_watershed as tiled_watershed,
    watershed as watershed,
)
from .seam_report import (
    SeamError as SeamError,
    SeamReport as SeamReport,
    SeamWarning as SeamWarning,
)
from .superpixels import (
    slic as slic,
)

__all__: list[str]
