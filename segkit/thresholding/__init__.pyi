from .binarizing import (
    binarize as binarize,
    binarize_local as binarize_local,
)
from .methods import (
    Trial as Trial,
    hysteresis as hysteresis,
    local_threshold as local_threshold,
    multi_otsu as multi_otsu,
    ndnt as ndnt,
    threshold as threshold,
    try_all as try_all,
)

__all__: list[str]
