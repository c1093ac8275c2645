"""Pages in a browser, served by this process: what all of them share.

- `Site`: what is served: routes, files, a title; who may embed it.
- `serve`: serve a site until Ctrl-C. `serving`: serve it beside what else runs here.
- `shell`: the HTML of a page whose contents its scripts make.
- `Latest`, `events`: what is newest, sent to each page as it changes.
- `json_answer`: plain data as an answer.

Needs the extra ``web`` (Starlette and uvicorn).
"""

from taskgraph.pages.events import Latest as Latest, events as events
from taskgraph.pages.serving import serve as serve, serving as serving
from taskgraph.pages.site import (
    Site as Site,
    json_answer as json_answer,
    shell as shell,
)
