"""Follows the links of a built site: python docs/check_site.py FOLDER

Every local link leads to a file, and to an id in it where it names one; nothing is loaded from
elsewhere.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page loads and where it links; and the ids in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        self.ids |= {has[key] for key in ("id", "name") if has.get(key)}
        if has.get("src"):
            self.loads.append(has["src"])
        if has.get("href"):
            loaded = tag == "link" and has.get("rel") in (
                "stylesheet",
                "icon",
                "preload",
                "shortcut icon",
            )
            (self.loads if loaded else self.links).append(has["href"])


def problems(folder):
    pages = {p.resolve(): Page(p.read_text(encoding="utf-8")) for p in folder.rglob("*.html")}
    for path, page in pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loads and parts.scheme != "data":
                    yield f"{path.relative_to(folder)}: loads {link}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            known = parts.fragment in ("", "furo-main-content") or target not in pages
            if (
                not target.is_file()
                or not known
                and unquote(parts.fragment) not in pages[target].ids
            ):
                yield f"{path.relative_to(folder)}: {link} leads nowhere"


def main(folder):
    folder = Path(folder).resolve()
    found = sorted(set(problems(folder)))
    print(*found, sep="\n", end="\n" if found else "")
    count = len(list(folder.rglob("*.html")))
    print(f"{count} pages, {len(found)} links that lead nowhere or load from elsewhere")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
