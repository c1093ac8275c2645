from .blobs import (
    blobs as blobs,
)
from .derivatives import (
    hessian_eigenvalues as hessian_eigenvalues,
    laplacian_of_gaussian as laplacian_of_gaussian,
)
from .distances import distance_transform as distance_transform
from .edges import (
    canny as canny,
    edges as edges,
)
from .ranks import (
    percentile as percentile,
)
from .ridges import (
    frangi as frangi,
    sato as sato,
)
from .smoothing import (
    gaussian as gaussian,
    median as median,
    subtract_background as subtract_background,
    uniform as uniform,
)

__all__: list[str]
