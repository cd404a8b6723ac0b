"""Campaign files as text: values are changed in place, so that what people wrote around them stays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

Document = Mapping[str, Any]
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)


class _Dumper(yaml.SafeDumper):
    """Keys in blocks, lists in brackets."""


_Dumper.add_representer(
    list, lambda dumper, of: dumper.represent_sequence("tag:yaml.org,2002:seq", of, flow_style=True)
)


class _CannotEdit(Exception):
    pass


def as_yaml(document: Document) -> str:
    """The document as a new file."""
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def rewritten(text: str, wanted: Document) -> tuple[str, tuple[str, ...]]:
    """The text with the values of a document, and the comments that are lost. A text that cannot be edited in place,
    because of anchors for example, is written anew."""
    try:
        edited = _edited(text, wanted)
        if yaml.safe_load(edited) == wanted:
            return edited, _lost(text, edited)
    except (_CannotEdit, yaml.YAMLError):
        pass
    anew = as_yaml(wanted)
    return anew, _lost(text, anew)


def comments(text: str) -> list[str]:
    """Every comment of a YAML text, in order."""
    scalars = [
        (token.start_mark.index, token.end_mark.index)
        for token in yaml.scan(text, Loader=yaml.SafeLoader)
        if isinstance(token, yaml.ScalarToken)
    ]
    found = ((match.start(), match[0]) for match in _COMMENT.finditer(text))
    return [comment for at, comment in found if not any(start <= at < end for start, end in scalars)]


def _lost(before: str, after: str) -> tuple[str, ...]:
    left = comments(after)
    lost = []
    for comment in comments(before):
        if comment in left:
            left.remove(comment)
        else:
            lost.append(comment)
    return tuple(lost)


def _edited(text: str, wanted: Document) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or any(
        isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken)
        for token in yaml.scan(text, Loader=yaml.SafeLoader)
    ):
        raise _CannotEdit
    for start, end, instead in sorted(_edits(text, root, wanted), reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def _edits(text: str, node: yaml.MappingNode, wanted: Document) -> Iterator[tuple[int, int, str]]:
    """(start, end, what goes there) of each place that changes."""
    if not node.value:
        raise _CannotEdit
    known = set()
    for key, value in node.value:
        known.add(key.value)
        if key.value not in wanted:
            if node.flow_style:
                raise _CannotEdit
            yield _line_start(text, key.start_mark.index), _line_end(text, _end(value)) + 1, ""
        elif isinstance(value, yaml.MappingNode) and isinstance(wanted[key.value], dict) and wanted[key.value]:
            yield from _edits(text, value, wanted[key.value])
        elif _value(value) != wanted[key.value]:
            yield value.start_mark.index, _end(value), _inline(wanted[key.value])
    new = {key: value for key, value in wanted.items() if key not in known}
    if not new:
        return
    if node.flow_style:
        at = node.end_mark.index - 1
        yield at, at, "".join(f", {key}: {_inline(value)}" for key, value in new.items())
    else:
        at, margin = _line_end(text, _end(node)), " " * node.value[0][0].start_mark.column
        lines = as_yaml(new).rstrip("\n").split("\n")
        yield at, at, "".join(f"\n{margin}{line}" for line in lines)


def _value(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()


def _inline(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**6)
    return text.removesuffix("...\n").strip()


def _end(node: yaml.Node) -> int:
    """Where what is written of a node ends: the mark of a block is where the next token begins."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        children: Sequence[yaml.Node] = node.value
        return _end(children[-1])
    return int(node.end_mark.index)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
