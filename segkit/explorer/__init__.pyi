from .notebook import (
    Explored as Explored,
    explore as explore,
)

__all__: list[str]
