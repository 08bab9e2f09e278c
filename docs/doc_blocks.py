"""Sphinx: the doc blocks of headers and Python files as they are written here, in plain text.

A block is paragraphs, examples (>>>), and fields: a label, two blanks or more, and text that goes on in
indented lines. Directives, for eval-rst:

    doc-blocks FILE...       structs of these headers (globs from the root), each with its block
    program-help COMMAND...  what `softtricks COMMAND --help` prints
"""

import os
import re
import subprocess
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.parsing import nested_parse_to_nodes

ROOT = Path(__file__).resolve().parents[1]
FIELD = re.compile(r"(\S.*?) {2,}(\S.*)")
NARROW = re.compile(r"(\S{9}) (\S.*)")  # a label that fills the column of labels in headers
BLOCK = re.compile(
    r"((?:^///.*\n)+)(?:^(?:template|requires)\b.*\n)*"
    r"^(?:struct|class|concept) (?:SOFTTRICKS_\w+ )?(\w+)",
    re.M,
)
SPECIAL = re.compile(r"([\\*|_])")


def inline(text):
    """reStructuredText of a plain text, in which backquotes mark code."""
    parts = re.split(r"`+([^`]+)`+", " ".join(text.split()))
    return "".join(f"``{p}``" if i % 2 else SPECIAL.sub(r"\\\1", p) for i, p in enumerate(parts))


def fields(lines):
    """Labels and their texts."""
    found = []
    for line in lines:
        match = FIELD.fullmatch(line) or (NARROW.fullmatch(line) if found else None)
        if match and not line.startswith(" "):
            found.append(list(match.groups()))
        else:
            found[-1][1] += " " + line.strip()
    return found


def to_rst(text):
    """The lines of reStructuredText that show a block."""
    out = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines = paragraph.split("\n")
        if lines[0].lstrip().startswith(">>>"):
            out += lines
        elif all(line.startswith("    ") for line in lines):
            out += ["::", "", *lines]
        elif FIELD.fullmatch(lines[0]):
            for label, said in fields(lines):
                out += [inline(label), "    " + inline(said)]
        else:
            out.append(inline(paragraph))
        out.append("")
    return out


def plain_docstring(app, what, name, thing, options, lines):
    lines[:] = to_rst("\n".join(lines))


class DocBlocks(SphinxDirective):
    required_arguments, optional_arguments, final_argument_whitespace = 1, 0, True

    def run(self):
        found = []
        for pattern in self.arguments[0].split():
            files = sorted(ROOT.glob(pattern))
            if not files:
                raise self.error(f"no such file: {pattern}")
            for file in files:
                self.env.note_dependency(str(file))
                found += self.show(file)
        return found

    def show(self, file):
        header = (
            file.relative_to(ROOT / "include") if file.is_relative_to(ROOT / "include") else file
        )
        for block, name in BLOCK.findall(file.read_text(encoding="utf-8")):
            text = re.sub(r"^/// ?", "", block, flags=re.M)
            lines = [f".. cpp:struct:: {name}", "", f"   ``#include <{header}>``", ""]
            lines += ["   " + line if line else "" for line in to_rst(text)]
            yield from nested_parse_to_nodes(self.state, "\n".join(lines), source=str(file))


class ProgramHelp(SphinxDirective):
    required_arguments, optional_arguments, final_argument_whitespace = 1, 0, True

    def run(self):
        program = os.environ.get("SOFTTRICKS_CLI", ROOT / "build/release/softtricks")
        found = []
        for command in self.arguments[0].split():
            try:
                done = subprocess.run(
                    [program, command, "--help"], capture_output=True, text=True, check=True
                )
            except (OSError, subprocess.CalledProcessError) as error:
                raise ExtensionError(
                    f"{program}: {error}; build it, or set SOFTTRICKS_CLI"
                ) from None
            found += [nodes.rubric("", "", nodes.literal("", f"softtricks {command}"))]
            found += [nodes.literal_block("", done.stdout.rstrip(), language="text")]
        return found


def without_folder_links(app, doctree):
    """Links to folders of the repository stay as text: on a site they lead nowhere."""
    here = Path(doctree["source"]).parent
    for link in list(doctree.findall(addnodes.pending_xref)):
        if link["reftype"] == "myst" and (here / link["reftarget"]).is_dir():
            link.replace_self(link.children)


def setup(app):
    app.connect("autodoc-process-docstring", plain_docstring)
    app.connect("doctree-read", without_folder_links)
    app.add_directive("doc-blocks", DocBlocks)
    app.add_directive("program-help", ProgramHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
