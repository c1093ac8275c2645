"""What makes a process a worker: see ARCHITECTURE.md."""
