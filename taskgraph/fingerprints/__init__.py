"""What a function's code does, and that of all in the project that it uses."""
