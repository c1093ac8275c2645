"""What `run` and its like are made of, besides workers."""
