from .contingency_table import (
    Contingency as Contingency,
    contingency as contingency,
)

__all__: list[str]
