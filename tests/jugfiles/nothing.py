"""No tasks at all."""

x = 1
