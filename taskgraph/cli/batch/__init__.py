"""Jobs of batch systems: being one, and submitting them."""
