"""Scores of a segmentation against a reference, exact and over tiles.

Two label images are compared by their contingency table (which objects overlap in
how many voxels). It is counted in one pass, box by box if need be; tables of disjoint
boxes add exactly (`combine`), and every score but the distances is a sum over them. For
distances, tiles keep the runs of their objects (`label_runs`), which add up as well.

>>> import numpy as np
>>> from segkit import combine, contingency, dice
>>> reference = np.repeat([[1, 1, 0, 2]], 3, axis=0)
>>> segmentation = np.repeat([[1, 0, 0, 2]], 3, axis=0)
>>> top = contingency(segmentation[:1], reference[:1])
>>> rest = contingency(segmentation[1:], reference[1:])
>>> dice(combine([top, rest])) == dice(contingency(segmentation, reference)) == 0.8
True

All scores but those of `scores`, the distances and `published_scores` take that table,
so that it is counted once for all.

Where a published program computes something else than the name says, the corrected
measure has the name and the published one stands beside it (`published_scores`).
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
