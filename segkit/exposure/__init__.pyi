from .frames import (
    crop as crop,
    pad as pad,
)
from .histograms import (
    cumulative_distribution as cumulative_distribution,
    equalize_adapthist as equalize_adapthist,
    equalize_hist as equalize_hist,
    histogram as histogram,
)
from .values import (
    adjust_gamma as adjust_gamma,
    adjust_log as adjust_log,
    adjust_sigmoid as adjust_sigmoid,
    convert as convert,
    invert as invert,
    rescale_intensity as rescale_intensity,
)

__all__: list[str]
