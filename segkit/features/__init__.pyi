from .bank import (
    FilterBank as FilterBank,
)
from .lines import (
    VesselMaps as VesselMaps,
)
from .measuring import (
    image_features as image_features,
    pixel_features as pixel_features,
    region_features as region_features,
)
from .simple import (
    Intensities as Intensities,
    Shapes as Shapes,
)
from .textures import (
    BinaryPatterns as BinaryPatterns,
    Haralick as Haralick,
    ThresholdAdjacency as ThresholdAdjacency,
    Zernike as Zernike,
)
from .words import (
    WordCounts as WordCounts,
    surf_descriptors as surf_descriptors,
    vocabulary as vocabulary,
)

__all__: list[str]
