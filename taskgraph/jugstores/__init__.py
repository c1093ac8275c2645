"""Stores that jug has left: what lies there under which digest, and taking it over."""
