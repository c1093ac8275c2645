"""Plates: fields of view in wells, by metadata of OME-Zarr or by names of files."""
