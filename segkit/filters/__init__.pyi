from .distances import distance_transform as distance_transform
from .smoothing import (
    gaussian as gaussian,
    median as median,
    subtract_background as subtract_background,
    uniform as uniform,
)

__all__: list[str]
