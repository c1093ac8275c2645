"""A plug-in of napari: images of all formats, labels saved, a pipeline on a layer.

napari reads `napari.yaml` here, and imports what it names when it is used. Only
`widget` imports napari.
"""
