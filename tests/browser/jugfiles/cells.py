"""A jugfile with results of all kinds, hostile names and values among them."""

import numpy as np

from taskgraph import TaskGenerator, barrier

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


class Own:
    """A class of the jugfile: its results are pickles."""

    def _repr_html_(self):
        return "<b>its own table</b><script>alert(3)</script>"


@TaskGenerator
def load(n, name=HOSTILE):
    y, x = np.mgrid[:48, :64]
    image = np.zeros((48, 64))
    for place in range(4):
        centre = 8 + 10 * ((place + n) % 4), 9 + 14 * place
        image += np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 18)
    return (255 * image).clip(0, 255).astype(np.uint8)


@TaskGenerator
def label(image):
    found = np.zeros(image.shape, np.int32)
    for place in range(4):
        part = slice(14 * place, 14 * place + 14)
        found[:, part] = (image[:, part] > 90) * (place + 1)
    return found


@TaskGenerator
def stack(images):
    return np.stack(images)


@TaskGenerator
def measure(labels, n):
    if n == 2:
        print("it prints", HOSTILE)
        raise ValueError(f"no objects {HOSTILE}")
    print("measured")
    ids, sizes = np.unique(labels, return_counts=True)
    pairs = zip(ids.tolist(), sizes.tolist(), strict=True)
    return [{"object": i, "area": a, "name": HOSTILE} for i, a in pairs]


@TaskGenerator
def profile(image):
    return image.mean(axis=0)


@TaskGenerator
def own():
    return Own()


@TaskGenerator
def text():
    return HOSTILE


@TaskGenerator
def gather(tables):
    return len(tables)


@TaskGenerator
def later():
    return 1


images = [load(n) for n in range(6)]
stack(images)
tables = [measure(label(image), n) for n, image in enumerate(images)]
profile(images[0])
own()
text()
gather(tables)
barrier()
later()
