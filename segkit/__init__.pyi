from .io import (
    Image as Image,
)
from .io import (
    ImageWriter as ImageWriter,
)
from .io import (
    Plate as Plate,
)
from .io import (
    create_image as create_image,
)
from .io import (
    open_image as open_image,
)
from .io import (
    open_plate as open_plate,
)
from .io import (
    open_writer as open_writer,
)
from .io import (
    save as save,
)
from .io import (
    save_table as save_table,
)
