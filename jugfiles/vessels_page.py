"""The page of `vessels.py`: its tables as HTML, CSV and LaTeX, and its figures."""

import html
from importlib.metadata import version

import numpy as np

from segkit.learning import (
    html_table,
    latex_table,
    q2,
    q2_interval,
    residual_figure,
    score_table,
)
from taskgraph import Table

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15em .7em; text-align: left; border-bottom: 1px solid #8884; }
.n { text-align: right; }
figure { margin: 1.5em 0; }
figcaption { max-width: 60rem; margin-bottom: .5em; }
.wide { overflow-x: auto; }
img { max-width: 100%; background: white; }
.warn { border-left: 4px solid #c60; padding-left: .8em; }
code { font-size: .9em; }
"""
TRACED = """What a row comes from says <code>tg show jugfiles/vessels.py KEY</code>,
and so on for the tasks that it names."""
SHOWN = {  # of the columns of a methods table, which is whole as CSV
    "method": "method",
    "Q2": "Q2",
    "95% from": "95 % from",
    "95% to": "to",
    "flattered": "Q2, flattered",
    "corrected": "Q2, corrected",
    "Pearson": "Pearson's r",
    "rmse": "RMSE",
    "bias": "bias",
    "rmse of experiments": "RMSE of experiments",
    "key": "key",
}
METHODS = """Share of each region that is vessel, as said by each method, against what
person 1 drew, on {regions} regions of {experiments} experiments. Learned methods say it
of regions whose experiment they have not seen ({schedule}). Q2 is the part of the
variance between regions that is explained: 1 is perfect, 0 is no better than the mean
of all. From and to: 95 % of 2,000 draws of whole experiments, nothing fitted anew.
<i>Flattered</i>: what comes out if regions of one experiment are on both sides of
cross-validation, which is wrong. <i>Corrected</i>: after a line that was fitted on
other folds. RMSE and bias (method less person 1) are shares of a region, from 0 to 1;
RMSE of experiments is that of their means."""
PERSONS = """The same methods, learned from the drawings of the other person. Bias is
the mean of what is said less what person 1 drew, a share of a region, from 0 to 1; r is
Pearson's correlation of what both say."""
MASKS = """Dice scores of masks within the view, over {pictures} pictures: mean and
standard deviation, least and most. The pixel classifier had not seen the picture's
experiment. The method without learning has its defaults, which were chosen on the
twenty photographs of DRIVE. Each single score: <code>tg table jugfiles/vessels.py
overlap</code>."""
RESIDUALS = """Residuals (what a method says less what person 1 drew, shares of a
region) of each two methods: above the diagonal, dots of regions (2,000 at most), axes
from {low:.2f} to {high:.2f}; below it, Pearson's correlation. Methods that err apart
gain by combination."""


PAPER = r"""%% \usepackage{booktabs, graphicx}
\noindent\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%%
\footnotesize\setlength{\tabcolsep}{3pt}%%
%s}%%
"""
SUMMARY = {"mean": np.mean, "deviation": np.std, "least": np.min, "most": np.max}


def write_page(out, about, masks, partitions, keys, example):
    """Write page and tables; return the paths of all files."""
    out.mkdir(parents=True, exist_ok=True)
    tables = {"masks": masks_table(masks)}
    figures, widest = {}, {}
    for kind, results in partitions.items():
        tables[f"methods-{kind}"] = methods_table(results, keys[kind])
        widest[kind] = max(np.abs(one.residuals).max() for one in everything(results))
        figures[kind] = out / f"residuals-{kind}.png"
        residual_figure(everything(results), figures[kind])
        if results["exchanged"]:
            tables[f"persons-{kind}"] = persons_table(results, keys[kind])
    paths = [path for name, table in tables.items() for path in saved(out, name, table)]
    page = out / "index.html"
    page.write_text(page_of(about, tables, widest, example), "utf-8")
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
    folds = scores["folds"][0]
    schedules = [f"{one.schedule}, {folds} folds" for one in methods]
    schedules[learned + 1 :] = ["given"] * len(results["others"])
    flattered = np.array([q2(one["found"]) for one in results["flattered"]] + rest)
    lines = [q2(one) for one in results["lines"]] + rest
    between = np.array([q2_interval(one) for one in methods])
    tasks = [*keys["honest"], *keys["combination"], *keys["others"]]
    return {
        "method": scores["method"],
        "cross-validation": np.array(schedules),
        "Q2": scores["q2"],
        "95% from": between[:, 0],
        "95% to": between[:, 1],
        "flattered": flattered,
        "flattery": flattered - scores["q2"],
        "corrected": np.array(lines),
        "Pearson": scores["pearson"],
        "rmse": scores["rmse"],
        "bias": scores["bias"],
        "rmse of experiments": scores["experiment_rmse"],
        "regions": scores["rows"],
        "experiments": scores["experiments"],
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
        "same": "r of both",
    }
    table = {name: np.array([row[k] for row in rows]) for k, name in names.items()}
    return table | {"key": np.array([key[:12] for key in keys["exchanged"]])}


def masks_table(masks):
    """Return the Dice scores of masks against each person who did not draw them."""
    rows = [
        {"mask": name, "against": f"person {person}"}
        | {what: float(of(scores)) for what, of in SUMMARY.items()}
        for name, found in masks.items()
        for person, scores in found.items()
        if name != f"person {person}"
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def saved(out, name, table):
    """Write a table as CSV, and as LaTeX what the page shows of it; return where."""
    Table({k: v.tolist() for k, v in table.items()}).to_csv(out / f"{name}.csv")
    shown = shown_of(table)
    shown.pop("key", None)
    (out / f"{name}.tex").write_text(PAPER % latex_table(shown), "utf-8")
    return out / f"{name}.csv", out / f"{name}.tex"


def made_by(about):
    """Return in a sentence what the numbers were made by, and from which seed."""
    versions = [f"{name} {version(name)}" for name in ("scikit-learn", "numpy")]
    return f"Made by {', '.join(versions)}; random numbers from seed {about['seed']}."


def shown_of(table):
    """Return the columns of a table that are for readers, as they are called there."""
    if "flattery" not in table:
        return dict(table)
    return {name: table[column] for column, name in SHOWN.items()}


def page_of(about, tables, widest, example):
    """Return the page as HTML."""
    count, days = len(about["pictures"]), len(set(about["experiments"]))
    drawn = "1 person" if about["persons"] == 1 else f"{about['persons']} persons"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>How much is vessel</title><style>{STYLE}</style>",
        "<main><h1>How much of each region is vessel</h1>",
        (
            f"<p>{count} pictures of {days} experiments, drawn by {drawn}."
            " Pictures of one experiment are never on both sides of cross-validation,"
            " but where a column says <i>flattered</i>. All tables are beside this page"
            " as CSV, whole and not rounded, and as LaTeX, as they are here but without"
            f" keys. {TRACED} {made_by(about)}"
        ),
    ]
    if not about["real"]:
        parts.append(
            "<p class=warn>There was no data: these are parts of one picture of nuclei,"
            " and two thresholds in the place of two persons. Its numbers mean nothing."
        )
    elif about["quick"]:
        parts.append(
            "<p class=warn>These are a few of the pictures and the fewest methods"
            " (--quick), to see whether all is well with the folder. Its numbers mean"
            " little: run the study without that word."
        )
    parts += [
        "<h2>Masks</h2>",
        captioned(MASKS.format(pictures=count), wide(tables["masks"])),
        captioned(
            f"The picture {html.escape(about['pictures'][0])}, and on it what person 1"
            " drew and the masks.",
            picture(example, "a picture with each mask on it"),
        ),
    ]
    for kind, most in widest.items():
        parts += section(kind, tables, most)
    return "\n".join([*parts, "</main>"]) + "\n"


def section(kind, tables, widest):
    """Return what the page says of a partition."""
    table = tables[f"methods-{kind}"]
    counts = {
        "regions": table["regions"][0],
        "experiments": table["experiments"][0],
        "schedule": table["cross-validation"][0],
    }
    parts = [
        f"<h2>Regions: {html.escape(kind)}</h2>",
        verdict(table),
        captioned(METHODS.format(**counts), wide(shown_of(table))),
    ]
    if f"persons-{kind}" in tables:
        parts.append(captioned(PERSONS, wide(tables[f"persons-{kind}"])))
    about = RESIDUALS.format(low=-widest, high=widest)
    return [*parts, captioned(about, picture(f"residuals-{kind}.png", "residuals"))]


def captioned(text, content):
    """Return a table or picture below what it shows."""
    return f"<figure><figcaption>{text}</figcaption>{content}</figure>"


def picture(path, text):
    """Return a picture that opens in its own size when pressed."""
    name = html.escape(path)
    return f"<a href='{name}'><img src='{name}' alt='{html.escape(text)}'></a>"


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
        f"The best single method, {names[best]}, has a Q2 of {scores[best]:.3f}"
        f" ({table['95% from'][best]:.3f} to {table['95% to'][best]:.3f}), the"
        f" combination {scores[names.index('combination of these')]:.3f}. It is the"
        f" best of {len(learned)} on these very regions, so a little of that is luck."
    )
    if "person 2" in names:
        person = names.index("person 2")
        text += (
            f" Person 2, as a method for what person 1 drew, has {scores[person]:.3f}"
        )
        text += f" (bias {table['bias'][person]:+.3f})."
    text += f" The wrong schedule flatters by {flattery:+.3f} in the mean."
    return f"<p>{html.escape(text)}"
