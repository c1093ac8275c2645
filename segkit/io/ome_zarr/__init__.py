"""OME-Zarr: images, pyramids, labels and plates."""
