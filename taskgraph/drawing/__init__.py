"""Graphs drawn: functions or tasks as boxes in layers."""
