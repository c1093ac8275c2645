from .binarizing import (
    binarize as binarize,
    binarize_local as binarize_local,
)
from .methods import (
    Trial as Trial,
    hysteresis as hysteresis,
    multi_otsu as multi_otsu,
    threshold as threshold,
    try_all as try_all,
)
from .nearby import (
    local_threshold as local_threshold,
    ndnt as ndnt,
)

__all__: list[str]
