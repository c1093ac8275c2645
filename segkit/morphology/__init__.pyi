from .flat import (
    footprint as footprint,
)
from .holes import (
    fill_holes as fill_holes,
    remove_small_holes as remove_small_holes,
)
from .maxima import (
    h_maxima as h_maxima,
)
from .operations import (
    binary_closing as binary_closing,
    binary_dilation as binary_dilation,
    binary_erosion as binary_erosion,
    binary_opening as binary_opening,
    black_tophat as black_tophat,
    closing as closing,
    dilation as dilation,
    erosion as erosion,
    opening as opening,
    white_tophat as white_tophat,
)
from .peaks import (
    local_maxima as local_maxima,
    peaks as peaks,
)
from .skeletons import (
    skeleton as skeleton,
    skeleton_length as skeleton_length,
)

__all__: list[str]
