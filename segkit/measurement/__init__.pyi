from .classification import (
    BoundsClassifier as BoundsClassifier,
    bounds_classifier as bounds_classifier,
    class_colours as class_colours,
    classify as classify,
    paint_classes as paint_classes,
    reconstruct as reconstruct,
)
from .measure import (
    measure_tile as measure_tile,
    properties_table as properties_table,
    region_properties as region_properties,
)
from .partial_table import (
    PartialTable as PartialTable,
)
from .selection import (
    border_ids as border_ids,
    clear_border as clear_border,
    drop_ids as drop_ids,
    ids_within as ids_within,
    keep_ids as keep_ids,
    keep_largest as keep_largest,
    keep_within as keep_within,
    largest_ids as largest_ids,
    relabel_sequential as relabel_sequential,
    remove_small_objects as remove_small_objects,
    small_ids as small_ids,
)

__all__: list[str]
