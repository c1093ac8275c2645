from .described import (
    as_image as as_image,
)
from .errors import (
    ColourError as ColourError,
    DamagedImageError as DamagedImageError,
    ImageError as ImageError,
    ImageRequestError as ImageRequestError,
    MisalignedWriteError as MisalignedWriteError,
    MissingExtraError as MissingExtraError,
    NotAnImageError as NotAnImageError,
    SpacingWarning as SpacingWarning,
    UnfinishedImageError as UnfinishedImageError,
    UnreachableError as UnreachableError,
)
from .image import (
    Image as Image,
)
from .ome_zarr.plates import (
    Plate as Plate,
    open_plate as open_plate,
)
from .opening import (
    open_image as open_image,
)
from .saving import (
    save as save,
)
from .tables import (
    save_table as save_table,
)
from .writing import (
    ImageWriter as ImageWriter,
    create_image as create_image,
    open_writer as open_writer,
)

__all__: list[str]
