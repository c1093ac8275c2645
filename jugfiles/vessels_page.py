"""The page of `vessels.py`: its tables as HTML, CSV and LaTeX, and its figures."""

import html

import numpy as np

from segkit.learning import (
    html_table,
    latex_table,
    q2,
    residual_figure,
    score_table,
)
from taskgraph import Table

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1em 0; }
th, td { padding: .15em .7em; text-align: left; border-bottom: 1px solid #8884; }
td.n { text-align: right; }
.wide { overflow-x: auto; }
img { max-width: 100%; background: white; }
.warn { border-left: 4px solid #c60; padding-left: .8em; }
code { font-size: .9em; }
"""
LEGEND = """
Q2 is the part of the variance between regions that predictions explain which were made
without the region's own experiment: 1 is perfect, 0 is no better than the mean.
<i>flattered</i> is what comes out if regions of one experiment are on both sides of
cross-validation, which is wrong, and <i>flattery</i> by how much. <i>corrected</i> is
Q2 after a line, fitted on other folds. bias and rmse are in parts of a region. What a
row comes from: <code>tg show jugfiles/vessels.py KEY</code>, and so on for the tasks
that it names.
"""


def write_page(out, about, masks, partitions, keys, example):
    """Write page and tables; return the paths of all files."""
    out.mkdir(parents=True, exist_ok=True)
    tables = {"masks": masks_table(masks)}
    figures = {}
    for kind, results in partitions.items():
        tables[f"methods-{kind}"] = methods_table(results, keys[kind])
        figures[kind] = out / f"residuals-{kind}.png"
        residual_figure(everything(results), figures[kind])
        if results["exchanged"]:
            tables[f"persons-{kind}"] = persons_table(results, keys[kind])
    paths = [path for name, table in tables.items() for path in saved(out, name, table)]
    page = out / "index.html"
    page.write_text(page_of(about, tables, list(partitions), example), "utf-8")
    return [page, *figures.values(), *paths]


def everything(results):
    """Return all methods on a partition, in the order of the page."""
    learned = [one["found"] for one in results["honest"]]
    return [*learned, results["combination"], *results["others"]]


def methods_table(results, keys):
    """Return a row for each method on a partition."""
    methods = everything(results)
    scores = score_table(methods)
    learned = len(results["honest"])
    rest = [np.nan] * (len(methods) - learned)
    flattered = np.array([q2(one["found"]) for one in results["flattered"]] + rest)
    lines = [q2(one) for one in results["lines"]] + rest
    tasks = [*keys["honest"], *keys["combination"], *keys["others"]]
    return {
        "method": scores["method"],
        "cross-validation": scores["schedule"],
        "Q2": scores["q2"],
        "flattered": flattered,
        "flattery": flattered - scores["q2"],
        "corrected": np.array(lines),
        "Pearson": scores["pearson"],
        "rmse": scores["rmse"],
        "bias": scores["bias"],
        "rmse of experiments": scores["experiment_rmse"],
        "regions": scores["rows"],
        "key": np.array([key[:12] for key in tasks]),
    }


def persons_table(results, keys):
    """Return what changes if a method learns from the other person."""
    rows = results["exchanged"]
    names = {
        "method": "method",
        "1 by 1": "Q2 of 1, learned from 1",
        "2 by 2": "Q2 of 2, learned from 2",
        "1 by 2": "Q2 of 1, learned from 2",
        "bias 1 by 1": "bias, learned from 1",
        "bias 1 by 2": "bias, learned from 2",
        "same": "Pearson of both predictions",
    }
    table = {name: np.array([row[k] for row in rows]) for k, name in names.items()}
    return table | {"key": np.array([key[:12] for key in keys["exchanged"]])}


def masks_table(masks):
    """Return the Dice scores of masks against each person."""
    table = {"mask": np.array(list(masks))}
    for person in next(iter(masks.values())):
        scores = [np.array(found[person]) for found in masks.values()]
        same = [name == f"person {person}" for name in masks]
        for name, of in (("mean", np.mean), ("least", np.min), ("most", np.max)):
            values = [
                np.nan if own else float(of(one))
                for own, one in zip(same, scores, strict=True)
            ]
            table[f"Dice, person {person}, {name}"] = np.array(values)
    return table


def saved(out, name, table):
    """Write a table as CSV and as LaTeX; return where."""
    Table({k: v.tolist() for k, v in table.items()}).to_csv(out / f"{name}.csv")
    (out / f"{name}.tex").write_text(latex_table(table) + "\n", "utf-8")
    return out / f"{name}.csv", out / f"{name}.tex"


def page_of(about, tables, kinds, example):
    """Return the page as HTML."""
    count, days = len(about["pictures"]), len(set(about["experiments"]))
    drawn = "1 person" if about["persons"] == 1 else f"{about['persons']} persons"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>Vessels</title><style>{STYLE}</style><main><h1>Vessels</h1>",
        (
            f"<p>{count} pictures of {days} experiments, drawn by {drawn}."
            " Pictures of one experiment are never on both sides of cross-validation,"
            " but where a column says <i>flattered</i>."
        ),
    ]
    if not about["real"]:
        parts.append(
            "<p class=warn>There was no data: these are parts of one picture of nuclei,"
            " and two thresholds in the place of two persons. Its numbers mean nothing."
        )
    parts += [
        "<h2>Masks</h2>",
        wide(tables["masks"]),
        f"<p><img src='{html.escape(example)}' alt='a picture with each mask on it'>",
        f"<h2>Parts of regions</h2><p>{LEGEND}",
    ]
    for kind in kinds:
        parts += [
            f"<h3>{html.escape(kind)}</h3>",
            verdict(tables[f"methods-{kind}"]),
            wide(tables[f"methods-{kind}"]),
        ]
        if f"persons-{kind}" in tables:
            parts += [
                "<h4>Learned from the other person</h4>",
                wide(tables[f"persons-{kind}"]),
            ]
        parts += [
            "<h4>Residuals: dots of each two methods, and their correlations</h4>",
            f"<p><img src='residuals-{html.escape(kind)}.png' alt='residuals'>",
        ]
    return "\n".join([*parts, "</main>"]) + "\n"


def wide(table):
    """Return a table as HTML that can be scrolled where the window is narrower."""
    return f"<div class=wide tabindex=0>{html_table(table)}</div>"


def verdict(table):
    """Return in a sentence how good the best method is beside a person."""
    names, scores = table["method"].tolist(), table["Q2"].tolist()
    learned = [k for k, v in enumerate(table["flattered"]) if not np.isnan(v)]
    best = max(learned, key=scores.__getitem__)
    flattery = np.mean(table["flattery"][learned])
    text = (
        f"The best single method, {names[best]}, has a Q2 of {scores[best]:.3f}, the"
        f" combination {scores[names.index('combination of these')]:.3f}."
    )
    if "person 2" in names:
        person = names.index("person 2")
        text += (
            f" Person 2, as a method for what person 1 drew, has {scores[person]:.3f}"
        )
        text += f" (bias {table['bias'][person]:+.3f})."
    text += f" The wrong schedule flatters by {flattery:+.3f} in the mean."
    return f"<p>{html.escape(text)}"
