"""Running tasks: the worker, its supervisor, and what each of them needs."""
