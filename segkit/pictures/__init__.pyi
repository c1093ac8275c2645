from .colouring import (
    label_colours as label_colours,
)
from .drawing import (
    Picture as Picture,
    contact_sheet as contact_sheet,
    grey_picture as grey_picture,
    overlay as overlay,
    save_png as save_png,
    side_by_side as side_by_side,
)

__all__: list[str]
