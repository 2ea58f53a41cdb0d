"""Reads string literals and comments of C++ sources; used by ci/strings and ci/wording."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<line_comment>//[^\n]*)
    | (?P<block_comment>/\*.*?\*/)
    | (?P<raw>\b(?:u8|[uUL])?R"(?P<fence>[^\s()\\"]{0,16})\((?P<raw_text>.*?)\)(?P=fence)")
    | (?P<string>(?:\bu8|\b[uUL])?"(?P<text>(?:[^"\\\n]|\\.)*)")
    | (?P<number>\b\d[\w']*)
    | (?P<character>'(?:[^'\\\n]|\\.)+')
    | (?P<directive>^[ \t]*\#[ \t]*include[^\n]*)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\", "0": "\0", "r": "\r"}


@dataclass
class Text:
    line: int  # of the first character
    text: str
    before: str = ""  # the code just before a literal: ".summary =", "Error("


def _unescaped(text):
    def replace(match):
        escape = match.group(1)
        if escape[0] in "uU" and len(escape) > 1:
            return chr(int(escape[1:], 16))
        return _ESCAPES.get(escape, "\\" + escape)

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", replace, text, flags=re.DOTALL)


def read_cpp(source):
    """The string literals, adjacent ones joined, and the comments, consecutive lines joined."""
    strings, comments = [], []
    string_end = comment_end = None
    for match in _TOKEN.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        if match["raw"] is not None or match["string"] is not None:
            text = match["raw_text"] if match["raw"] is not None else _unescaped(match["text"])
            if string_end is not None and not source[string_end : match.start()].strip():
                strings[-1].text += text
            else:
                strings.append(Text(line, text, source[max(0, match.start() - 80) : match.start()]))
            string_end = match.end()
        elif match["line_comment"] is not None:
            text = match["line_comment"][2:].strip()
            begin = source.rfind("\n", 0, match.start()) + 1
            alone = not source[begin : match.start()].strip()
            if comment_end is not None and alone and not source[comment_end : match.start()].strip():
                if source.count("\n", comment_end, match.start()) == 1:
                    comments[-1].text += " " + text
                    comment_end = match.end()
                    continue
            comments.append(Text(line, text))
            comment_end = match.end() if alone else None
        elif match["block_comment"] is not None:
            comments.append(Text(line, match["block_comment"][2:-2].strip()))
            comment_end = None
    return strings, comments


def code_only(source):
    """The source without literals and comments, with the same line numbers."""
    return _TOKEN.sub(lambda match: "\n" * match[0].count("\n"), source)
