"""A `View` of a run on a terminal."""
