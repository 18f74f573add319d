"""What a YAML text says, and at which line and column each of its keys and values stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]
"""The way from the top of the file to a value: keys and list positions."""

_MAX_VALUES = 20_000
_MAX_DEPTH = 24
_TAG = "tag:yaml.org,2002:"
_CONTINUED = re.compile(r"\\\r?\n[ \t]*")
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)


class Place(NamedTuple):
    """A spot in the file; line and column count from 1."""

    line: int
    column: int


TOP = Place(1, 1)


class Trouble(NamedTuple):
    """Something the text itself does wrong, before any meaning."""

    place: Place
    text: str
    hint: str = ""


class Marked:
    """Plain values with their places; `troubles` is what could not be read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.value: Any = None
        self.troubles: list[Trouble] = []
        self._keys: dict[Path, Place] = {}
        self._values: dict[Path, Place] = {}
        self._scalars: dict[Path, ScalarNode] = {}

    def key(self, path: Path) -> Place:
        """Return where the key stands that ends `path`, or the nearest thing above it."""
        return self._nearest(path, self._keys)

    def at(self, path: Path) -> Place:
        """Return where the value under `path` begins, or the nearest thing above it."""
        return self._nearest(path, self._values)

    def lines(self) -> dict[Path, int]:
        """Return the line of every key, for messages at run time."""
        return {path: place.line for path, place in self._keys.items()}

    def raw(self, path: Path) -> str | None:
        """Return the scalar under `path` as it is written, without its quotes; None if there is none."""
        scalar = self._scalars.get(path)
        return None if scalar is None else scalar.value

    def inside(self, path: Path, offset: int) -> Place:
        """Return where character `offset` (from 0) of the text under `path` stands in the file."""
        scalar = self._scalars.get(path)
        if scalar is None:
            return self.at(path)
        index = _align(self.text, scalar, offset)
        if index is None:
            return _place(scalar.start_mark)
        return Place(self.text.count("\n", 0, index) + 1, index - (self.text.rfind("\n", 0, index) + 1) + 1)

    def comment_after(self, path: Path) -> str:
        """Return the comment behind an unquoted value on the same line, such as a hash tag YAML has swallowed."""
        scalar = self._scalars.get(path)
        if scalar is None or scalar.style is not None:
            return ""
        rest = self.text[scalar.end_mark.index :].split("\n", 1)[0].strip()
        return rest if rest.startswith("#") else ""

    def _nearest(self, path: Path, places: dict[Path, Place]) -> Place:
        for length in range(len(path), 0, -1):
            here = path[:length]
            if here in places:
                return places[here]
            if here in self._values:
                return self._values[here]
        return TOP

    # ------------------------------------------------------------ building

    def build(self, root: Node) -> None:
        """Turn the composed nodes into `value`; repeats, odd keys and expansion bombs become troubles."""
        self._left = _MAX_VALUES
        try:
            self.value = self._convert(root, ())
        except _TooMuch as error:
            self.value = None
            self.troubles.append(Trouble(_place(error.node.start_mark), str(error), "write it flatter"))

    def _convert(self, node: Node, path: Path) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch(node, f"the file holds more than {_MAX_VALUES:,} values once its aliases are written out")
        if len(path) > _MAX_DEPTH:
            raise _TooMuch(node, f"nested deeper than {_MAX_DEPTH} levels")
        self._values.setdefault(path, _place(node.start_mark))
        if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
            return [self._convert(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and node.tag in _READERS:
            self._scalars[path] = node
            return _READERS[node.tag](node.value)
        tag = node.tag.replace(_TAG, "!!")
        self.troubles.append(Trouble(_place(node.start_mark), f"the tag {tag} is not read here", "write a plain value"))
        return None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            here = (*path, key)
            if key in found:
                first = self._keys[here].line
                text = f'the key "{key}" stands twice; the first is in line {first}'
                self.troubles.append(Trouble(_place(key_node.start_mark), text, "remove one of them"))
                continue
            self._keys[here] = _place(key_node.start_mark)
            found[key] = self._convert(value_node, here)
        return found

    def _key(self, node: Node) -> str | None:
        place = _place(node.start_mark)
        if not isinstance(node, ScalarNode):
            self.troubles.append(Trouble(place, "a key is a word, not a block"))
        elif node.value == "<<" and node.style is None:
            self.troubles.append(Trouble(place, "merge keys (<<) are not read", "write the keys out"))
        elif node.tag != f"{_TAG}str":
            self.troubles.append(
                Trouble(place, f"a key is text, and {node.value!r} is not", f'put it in quotes: "{node.value}"')
            )
        else:
            return str(node.value)
        return None


class _TooMuch(Exception):
    def __init__(self, node: Node, text: str) -> None:
        super().__init__(text)
        self.node = node


class _Loader(yaml.SafeLoader):
    """YAML with the few scalar types of its version 1.2, so that `no`, `12:30`, `007` and `1e3` stay text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the base class's own declaration


_Loader.add_implicit_resolver(f"{_TAG}null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(f"{_TAG}int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    f"{_TAG}float", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?$"), list("-+0123456789")
)

_READERS: dict[str, Any] = {
    f"{_TAG}null": lambda _text: None,
    f"{_TAG}bool": lambda text: text.lower() == "true",
    f"{_TAG}int": lambda text: int(text) if len(text) <= 18 else text,
    f"{_TAG}float": float,
    f"{_TAG}str": str,
}


def read_marked(text: str) -> Marked:
    """Read one YAML document. Never raises on any text: what is wrong stands in `troubles`."""
    marked = Marked(text)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        marked.troubles.append(_syntax(error, text))
        return marked
    except yaml.reader.ReaderError as error:
        before = _lines(text[: error.position])
        place = Place(len(before), len(before[-1]) + 1)
        marked.troubles.append(
            Trouble(place, f"the character U+{error.character:04X} may not stand in YAML", "remove it")
        )
        return marked
    except RecursionError:
        marked.troubles.append(Trouble(TOP, f"nested deeper than {_MAX_DEPTH} levels", "write it flatter"))
        return marked
    if root is not None:
        marked.build(root)
    if marked.value is None and not marked.troubles:
        marked.troubles.append(Trouble(TOP, "the file is empty", "brandmelder init writes one to start from"))
    return marked


_SYNTAX = (
    (r"'\\t' that cannot start", "a tab stands where YAML wants spaces", "indent with spaces"),
    (
        r"mapping values are not allowed",
        'a ": " where none may stand',
        'quote a text that holds ": "; end each key with ":"',
    ),
    (r"could not find expected ':'", 'a line without ":" behind its key', "write key: value"),
    (r"unexpected end of stream|unexpected document separator", "a quote is opened and never closed", "close it"),
    (
        r"expected <block end>|expected the node content",
        "this does not fit the lines above",
        "check indentation, quotes",
    ),
    (r"expected ',' or '[\]}]'", "a list or block in brackets is not closed", "check commas and brackets"),
    (r"undefined alias", "an alias (*) without its anchor (&)", "put a text that begins with * in quotes"),
    (r"another document|single document", "a second document (---) begins here", "keep one document in the file"),
    (r"character '(.)' that cannot start", "a text may not begin with this character", "put the text in quotes"),
    (r"unknown escape", "a backslash in double quotes that means nothing", "use single quotes"),
)


_CUT = re.compile(r"^[^#'\"]*[{\[][^#}\]'\"]*\s(?=#\w)")
"""A bracket that a tag without quotes cuts short, as in `{query: #nordfunk}`."""
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line in YAML 1.1 (section 5.4)."""
_OPEN = r"expected <block end>|expected the node content|expected ',' or '[\]}]'"


def _lines(text: str) -> list[str]:
    return _BREAK.split(text)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Trouble:
    mark, lines = error.problem_mark or error.context_mark, _lines(text)
    place = Place(min(mark.line + 1, len(lines)), mark.column + 1) if mark else TOP
    said = f"{error.problem or ''} {error.context or ''}"
    cut = next(((at, found) for at, line in enumerate(lines[: place.line]) if (found := _CUT.search(line))), None)
    if cut is not None and re.search(_OPEN, said):
        at = Place(cut[0] + 1, cut[1].end() + 1)
        return Trouble(at, "a # begins a comment, and the bracket before it is never closed", "put the text in quotes")
    for pattern, sentence, hint in _SYNTAX:
        if re.search(pattern, said):
            if "never closed" in sentence and error.context_mark is not None:
                place = _place(error.context_mark)
            has_variable = "${" in lines[place.line - 1]
            return Trouble(place, sentence, 'in braces put it in quotes: "${NAME}"' if has_variable else hint)
    return Trouble(place, f"YAML cannot be read: {error.problem}", "check indentation, quotes and brackets")


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _align(text: str, scalar: ScalarNode, offset: int) -> int | None:
    """Return the index in `text` of a scalar's character: past quotes, escapes, folded lines and indentation."""
    start, end = scalar.start_mark.index, scalar.end_mark.index
    if scalar.style in ("|", ">"):
        start = text.find("\n", start) + 1 or end
    elif scalar.style:
        start += 1
    last = None
    for position, index in _pairs(text, range(start, end), scalar):
        if position == offset:
            return index
        last = index
    return None if last is None or offset < len(scalar.value) else last + 1


def _pairs(text: str, span: range, scalar: ScalarNode) -> Iterator[tuple[int, int]]:
    index, position, value = span.start, 0, scalar.value
    while index < span.stop and position < len(value):
        written, read = text[index], value[position]
        continued = _CONTINUED.match(text, index) if scalar.style == '"' else None
        escape = _ESCAPE.match(text, index) if scalar.style == '"' else None
        if continued:
            index = continued.end()
        elif escape:
            yield position, index
            index, position = escape.end(), position + 1
        elif scalar.style == "'" and text.startswith("''", index):
            yield position, index
            index, position = index + 2, position + 1
        elif written == read:
            yield position, index
            index, position = index + 1, position + 1
        elif written.isspace():
            if read.isspace():
                yield position, index
                position += 1
            while index < span.stop and text[index].isspace():
                index += 1
        else:
            return
