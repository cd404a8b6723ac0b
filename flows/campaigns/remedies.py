"""What to write instead of a line of a campaign's file that is not YAML, or of a number that is none."""

import json
import re

import yaml

_ENTRY = re.compile(r"^(?P<key>\s*(?:- )?[A-Za-z_]+:)\s+(?P<value>\S.*?)\s*$")
_NUMBER = re.compile(r"^\s*[€$£]?\s*(?P<digits>\d[\d.,'\u2019\s]*?)\s*(?P<unit>%|[^\W\d_]{1,3}|[€$£])?\s*$")


def of_syntax(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """The line, from 1, that is wrong, and what is wrong with it, with the line to write where that is clear."""
    number = error.problem_mark.line if error.problem_mark else 0
    lines = text.splitlines() or [""]
    line = lines[min(number, len(lines) - 1)]
    if number and error.problem == "mapping values are not allowed here" and _lacks_space(lines[number - 1]):
        number, line = number - 1, lines[number - 1]
    if "\t" in line:
        return number + 1, _write("it has a tab, YAML is indented with spaces", line.replace("\t", "  "))
    if _lacks_space(line):
        return number + 1, _write("a space is missing after the colon", line.replace(":", ": ", 1))
    if entry := _ENTRY.match(line):
        key, value = entry["key"], entry["value"]
        if value.startswith("[") and value.endswith("]") and "'" in value:
            better = f"{key} [{', '.join(_quoted(item) for item in value[1:-1].split(','))}]"
            return number + 1, _write("an apostrophe ends a text in single quotes, so use double ones", better)
        if key.strip() in ("text:", "- text:", "name:"):
            return number + 1, _write(
                "a text with a colon, a quote or a sign at its start stands in double quotes", f"{key} {_quoted(value)}"
            )
    return number + 1, f"this is not YAML: {error.problem}."


def as_number(text: str) -> float | None:
    """The number that was probably meant by `35 %`, `0,35` or `1.000,50 €`; None where it is none."""
    found = _NUMBER.match(text)
    if not found:
        return None
    digits = re.sub(r"[\s'\u2019]", "", found["digits"])
    if "," in digits and "." in digits:
        thousands = "," if digits.rfind(",") < digits.rfind(".") else "."
        digits = digits.replace(thousands, "")
    elif re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+", digits):
        digits = digits.replace(",", "")
    try:
        number = float(digits.replace(",", "."))
    except ValueError:
        return None
    return number / 100 if found["unit"] == "%" else number


def _lacks_space(line: str) -> bool:
    return bool(re.match(r"^\s*[A-Za-z_]+:[^\s:]", line))


def _quoted(item: str) -> str:
    plain = item.strip()
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"":
        plain = plain[1:-1]
    return json.dumps(plain, ensure_ascii=False)


def _write(problem: str, line: str) -> str:
    """The line is only shown if it is YAML."""
    try:
        yaml.safe_load(line)
    except yaml.YAMLError:
        return f"this is not YAML: {problem}."
    return f"this is not YAML: {problem}. Write this line:\n{line}"
