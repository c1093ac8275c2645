from .membranes import (
    membrane_map as membrane_map,
    segment_cells as segment_cells,
)
from .nuclei import (
    segment_nuclei as segment_nuclei,
)

__all__: list[str]
