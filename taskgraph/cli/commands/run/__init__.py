"""Commands that run tasks, and wait for them."""
