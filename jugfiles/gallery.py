"""A gallery of segkit: each function with an example that runs, and its picture.

    tg execute jugfiles/gallery.py -j 2 [-- OUT]

OUT (``gallery-out``) gets ``index.html`` and a PNG for each example. The examples are
in the folder ``examples`` beside this file, by topic. The picture is a part of the
nuclei that the mahotas package brings along. Each example is a task of its own: change
one, say so (``tg invalidate jugfiles/gallery.py --name gaussian``), and only that one
is made again. Examples whose optional libraries are not installed are left out, and
the page names them.
"""

import argparse
import html
import inspect
from pathlib import Path

import mahotas
from examples._topics import TOPICS, examples_of, missing_for, title_of

import segkit
from taskgraph import TaskGenerator

_WORDS = argparse.ArgumentParser(allow_abbrev=False)
_WORDS.add_argument("out", nargs="?", default="gallery-out", type=Path, metavar="OUT")
OUT = _WORDS.parse_args().out


@TaskGenerator
def crop(path):
    """Return the part of the picture that is shown."""
    return segkit.open_image(path, channel=0).read()[200:500, 300:700]


@TaskGenerator(files=True)
def save_sheet(pictures, path):
    """Write the pictures of one example next to each other; return the file's path."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    columns = min(4, len(pictures))
    sheet = segkit.contact_sheet(pictures, columns=columns, width=400)
    segkit.save_png(path, sheet, overwrite=True)
    return Path(path)


@TaskGenerator(files=True)
def write_index(sections, left_out, path):
    """Write the page that shows all of them, and names those that are left out."""
    parts = ["<!doctype html><meta charset=utf-8><title>segkit</title>", _STYLE]
    for section, entries in sections.items():
        parts.append(f"<h2>{section}</h2>")
        for name, picture, source in entries:
            parts.append(
                f"<h3 id={name}>{name}</h3><img src={picture.name} alt={name}>"
            )
            parts.append(f"<pre>{html.escape(source)}</pre>")
    if left_out:
        parts.append("<h2>Left out</h2>")
    for name, libraries in left_out.items():
        parts.append(f"<p>{name} needs {' and '.join(libraries)}, not installed here")
    Path(path).write_text("\n".join(parts))
    return Path(path)


_STYLE = """<style>
body { font: 16px/1.5 system-ui; max-width: 60em; margin: 2em auto; padding: 0 1em }
img { max-width: 100% } pre { background: #f4f4f4; padding: 1em; overflow: auto }
</style><h1>segkit</h1>"""


demo = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"
image = crop(str(demo))
index, left_out = {}, {}
for topic in TOPICS:
    for function in examples_of(topic):
        name = function.__name__
        if missing := missing_for(function):
            left_out[name] = missing
            continue
        shown = save_sheet(TaskGenerator(function)(image), str(OUT / f"{name}.png"))
        entry = (name, shown, inspect.getsource(function))
        index.setdefault(title_of(topic), []).append(entry)
write_index(index, left_out, str(OUT / "index.html"))
