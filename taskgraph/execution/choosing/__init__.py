"""Which tasks a worker takes, and what it takes instead of running them."""
