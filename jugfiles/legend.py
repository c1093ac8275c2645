"""What the scores in the summary of `nuclei.py` mean, and which way is better."""

SCORES = {
    "f1_50": ("high", "objects found: F1 of those that overlap a true one by half"),
    "panoptic_quality": ("high", "f1_50 times how well the found ones overlap"),
    "average_precision_50": ("high", "hits / (hits + false + missing), overlap 0.50"),
    "average_precision_75": ("high", "the same where hits overlap by 0.75"),
    "average_precision": ("high", "their mean over overlaps of 0.50, 0.55 ... 0.95"),
    "true_positives_50": ("high", "objects that overlap a true one by half"),
    "false_positives_50": ("low", "objects that do not"),
    "false_negatives_50": ("low", "true objects that none overlaps by half"),
    "split": ("low", "true objects that were found in pieces"),
    "merged": ("low", "objects that are several true ones in one"),
    "spurious": ("low", "objects where there is none"),
    "missing": ("low", "true objects that were not found"),
    "dice": ("high", "pixels: overlap of foregrounds, twice the common / the sum"),
    "jaccard": ("high", "pixels: the common / the union of foregrounds"),
    "rand_index": ("high", "pairs of pixels that are together, or apart, in both"),
    "adjusted_rand_index": ("high", "the same, 0 for chance"),
    "adapted_rand_precision": ("high", "pairs that are together and belong together"),
    "adapted_rand_recall": ("high", "pairs that belong together and are together"),
    "adapted_rand_error": ("low", "1 - harmonic mean of these two"),
    "foreground_rand": ("high", "the same harmonic mean, as the ISBI challenges count"),
    "variation_of_information": ("low", "bits of difference, the sum of the next two"),
    "variation_of_information_split": ("low", "bits by what was split"),
    "variation_of_information_merge": ("low", "bits by what was merged"),
    "hausdorff": ("low", "farthest boundary from the true one, in pixels, the mean"),
    "nsd": ("low", "wrong pixels, weighted by their distance: 0 is best, 1 worst"),
    "published_jaccard_index": ("high", "of pairs of pixels; it has no upper bound"),
}
"""For each score: what is better, and what it says."""

PUBLISHED = (
    "published_... are those of Coelho et al. (ISBI 2009) with all quirks of the "
    "program\nbehind their table, to compare with it."
)


def better(name):
    """Return which way a score is better: high or low."""
    return SCORES.get(name, SCORES.get(name.removeprefix("published_")))[0]


def legend():
    """Return the lines that explain the scores."""
    rows = [f"{name:32}{says}" for name, (_, says) in SCORES.items()]
    return [*rows, "", PUBLISHED]
