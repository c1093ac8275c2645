"""Outputs without a task that makes them: taken over, or left behind."""
