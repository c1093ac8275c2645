"""Precomputed volumes of Neuroglancer, and N5: read by box, written by many."""
