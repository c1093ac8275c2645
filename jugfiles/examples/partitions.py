"""Scores of foregrounds, and of pairs of voxels that are together or apart."""

import segkit
from examples._shared import agreement, beside, compared


def dice(image):
    found, reference = compared(image)
    score = segkit.dice(segkit.contingency(found, reference))
    return {f"dice {score:.3f}": agreement(found, reference)}


def jaccard(image):
    found, reference = compared(image)
    score = segkit.jaccard(segkit.contingency(found, reference))
    return {f"jaccard {score:.3f}": agreement(found, reference)}


def pair_counts(image):
    found, reference = compared(image)
    pairs = segkit.pair_counts(segkit.contingency(found, reference))
    both, *in_one, neither = (count / sum(pairs) for count in pairs)
    title = f"together in both {both:.1%}, in one {sum(in_one):.1%}"
    return beside(image, reference, f"{title}, in none {neither:.1%}", found)


def rand_index(image):
    found, reference = compared(image)
    score = segkit.rand_index(segkit.contingency(found, reference))
    return beside(image, reference, f"Rand index {score:.3f}", found)


def adjusted_rand_index(image):
    found, reference = compared(image)
    score = segkit.adjusted_rand_index(segkit.contingency(found, reference))
    return beside(image, reference, f"adjusted Rand index {score:.3f}", found)


def adapted_rand_error(image):
    found, reference = compared(image)
    error, precision, recall = segkit.adapted_rand_error(
        segkit.contingency(found, reference)
    )
    title = f"error {error:.3f}, precision {precision:.3f}, recall {recall:.3f}"
    return beside(image, reference, title, found)


def foreground_rand(image):
    found, reference = compared(image)
    rand = segkit.foreground_rand(segkit.contingency(found, reference))
    title = f"V_rand {1 - rand.error:.3f}, merge {rand.precision:.3f}"
    return beside(image, reference, f"{title}, split {rand.recall:.3f}", found)


def variation_of_information(image):
    found, reference = compared(image)
    bits = segkit.variation_of_information(segkit.contingency(found, reference))
    title = f"split {bits.split:.3f} bits, merge {bits.merge:.3f} bits"
    return beside(image, reference, title, found)


def published_jaccard_index(image):
    found, reference = compared(image)
    score = segkit.published_jaccard_index(segkit.contingency(found, reference))
    return beside(image, reference, f"published Jaccard index {score:.3f}", found)
