"""What is known of a store as a whole, and how it is looked after."""
