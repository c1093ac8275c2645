"""How images, pipelines and results show themselves in a notebook."""
