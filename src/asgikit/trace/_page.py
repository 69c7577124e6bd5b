"""One self-contained page: the spans as data, and a small script that draws them on a canvas."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources

from asgikit.trace._lanes import end_of, lay_out
from asgikit.trace._span import Span

__all__ = ("as_page",)


def as_page(spans: Sequence[Span]) -> str:
    """Return the text of the page. Nothing in it asks for anything from elsewhere."""
    lanes = [{"thread": lane.thread, "spans": [span.number for span in lane.spans]} for lane in lay_out(spans)]
    data = json.dumps({"end": end_of(spans), "lanes": lanes, "spans": [asdict(span) for span in spans]})
    template = resources.files("asgikit.trace").joinpath("page.html").read_text(encoding="utf-8")
    # `</script>` inside a name would end the script: JSON may write the slash of it escaped.
    return template.replace("/*DATA*/null", data.replace("</", "<\\/"))
