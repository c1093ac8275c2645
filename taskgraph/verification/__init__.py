"""Computing stored results again, to see whether they are still what they were."""
