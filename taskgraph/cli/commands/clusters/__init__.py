"""Commands about many jobs or all workers, and the systems below them."""
