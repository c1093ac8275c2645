from .membranes import (
    membrane_map as membrane_map,
    segment_cells as segment_cells,
)
from .nuclei import (
    segment_nuclei as segment_nuclei,
)
from .vessels import (
    find_field_of_view as find_field_of_view,
    segment_vessels as segment_vessels,
    vessel_map as vessel_map,
)

__all__: list[str]
