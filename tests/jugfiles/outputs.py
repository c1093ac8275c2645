"""Results of many kinds, and tasks that print."""

import os
import subprocess

import numpy as np

from taskgraph import TaskGenerator


class Thing:
    def __init__(self, x):
        self.x = x

    def __repr__(self):
        return f"Thing({self.x})"


@TaskGenerator
def text():
    print("from Python")
    os.write(2, b"from C\n")
    subprocess.run(["echo", "from a process"], check=True)
    return "some text"


@TaskGenerator
def table():
    return [{"a": 1, "b": 2.5}, {"a": 3, "b": 4.5}]


@TaskGenerator
def image():
    return np.arange(40_000, dtype=np.uint16).reshape(200, 200)


@TaskGenerator
def thing():
    return Thing(3)


@TaskGenerator
def shifted(image):
    return image + 1


text()
table()
thing()
shifted(image())
