"""Numbers, their squares, and a sum: three functions in a row."""

import sys

from taskgraph import TaskGenerator

count = int(sys.argv[1]) if len(sys.argv) > 1 else 4


@TaskGenerator
def number(i):
    return i


@TaskGenerator
def square(x):
    return x * x


@TaskGenerator
def total(xs):
    return sum(xs)


result = total([square(number(i)) for i in range(count)])
