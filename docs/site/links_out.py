"""Links of pages to files outside of the site: the code they speak of."""

import os.path
import re
from pathlib import Path

DOCS = Path(__file__).parents[1]
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s#:]+)(#[^)]*)?\)")


def told(app, page, source):
    """Write links that leave the folder of pages as the names of files."""
    home = Path(app.env.doc2path(page)).parent if hasattr(app, "env") else DOCS

    def replaced(match):
        text, target, _ = match.groups()
        path = (home / target).resolve()
        if path.is_relative_to(DOCS):
            return match[0]
        name = os.path.relpath(path, DOCS.parent)
        return text if text.strip("`") == name else f"{text} (`{name}`)"

    source[0] = _LINK.sub(replaced, source[0])
