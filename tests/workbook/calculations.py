"""Tableau's calculation language, as far as the workbook uses it: read, given types, and written as SQL for hyperd.

A function that is not in FUNCTIONS is an error here and may be none in Tableau: add it, with its types and its SQL.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ROW, AGGREGATE, CONSTANT = "row", "aggregate", "constant"
NUMBERS = ("integer", "real")

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<string>"[^"]*"|'[^']*')
    |(?P<field>\[[^\]]+\](?:\.\[[^\]]+\])?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<operator><=|>=|<>|!=|==|[-+*/%<>=(),{}:]))""",
    re.VERBOSE,
)


class BadCalculation(Exception):
    """A formula that Tableau would refuse, or that these checks cannot read."""


@dataclass(frozen=True)
class Value:
    """datatype: Tableau's, or "null". level: row, aggregate or constant. sql(alias): the expression over a table that
    is called so."""

    datatype: str
    level: str
    sql: Callable[[str], str]


@dataclass(frozen=True)
class Scope:
    """What names mean. column(name), parameter(name): raise KeyError where there is none. fixed(dimensions, value): SQL
    of {FIXED dimensions : value} over a table of an alias."""

    column: Callable[[str], Value]
    parameter: Callable[[str], Value]
    fixed: Callable[[list[Value], Value], Callable[[str], str]]


def read(formula: str, scope: Scope) -> Value:
    """
    Raises:
        BadCalculation: when the formula cannot be read, names what is not there, or mixes types or levels.
    """
    parser = _Parser(_tokens(formula), scope)
    value = parser.expression()
    if parser.peek():
        raise BadCalculation(f"{parser.peek()!r} is left over in {formula!r}")
    return value


def literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def _tokens(formula: str) -> list[str]:
    found, position = [], 0
    formula = formula.rstrip()
    while position < len(formula):
        match = _TOKEN.match(formula, position)
        if not match:
            raise BadCalculation(f"cannot read {formula[position:]!r} in {formula!r}")
        found.append(match[0].strip())
        position = match.end()
    return found


def _level(values: list[Value], what: str) -> str:
    levels = {value.level for value in values} - {CONSTANT}
    if len(levels) > 1:
        raise BadCalculation(f"{what} mixes aggregates with what is not aggregated")
    return levels.pop() if levels else CONSTANT


def _common(values: list[Value], what: str) -> str:
    types = {value.datatype for value in values} - {"null"}
    if types <= set(NUMBERS) and len(types) > 1:
        return "real"
    if len(types) > 1:
        raise BadCalculation(f"{what} mixes {' and '.join(sorted(types))}")
    return types.pop() if types else "null"


def _want(value: Value, types: tuple[str, ...], what: str) -> None:
    if value.datatype not in (*types, "null"):
        raise BadCalculation(f"{what} wants {' or '.join(types)}, not {value.datatype}")


def _double(sql: str) -> str:
    return f"cast({sql} as double precision)"


# name: (types that arguments may have, the result's type or None for that of the arguments, SQL of the arguments' SQL)
ANY = ("string", "integer", "real", "boolean", "date", "datetime")
FUNCTIONS: Mapping[str, tuple[tuple[tuple[str, ...], ...], str | None, Callable[..., str]]] = {
    "ISNULL": ((ANY,), "boolean", lambda x: f"({x} is null)"),
    "IFNULL": ((ANY, ANY), None, lambda x, y: f"coalesce({x}, {y})"),
    "ZN": ((NUMBERS,), None, lambda x: f"coalesce({x}, 0)"),
    "FLOOR": ((NUMBERS,), "integer", lambda x: f"cast(floor({x}) as bigint)"),
    "SQRT": ((NUMBERS,), "real", lambda x: f"sqrt({_double(x)})"),
    "SQUARE": ((NUMBERS,), None, lambda x: f"({x} * {x})"),
    "ABS": ((NUMBERS,), None, lambda x: f"abs({x})"),
    "STR": ((ANY,), "string", lambda x: f"cast({x} as text)"),
    "DATE": ((("date", "datetime"),), "date", lambda x: f"cast({x} as date)"),
    "DAY": ((("date", "datetime"),), "integer", lambda x: f"cast(extract(day from {x}) as bigint)"),
    "MONTH": ((("date", "datetime"),), "integer", lambda x: f"cast(extract(month from {x}) as bigint)"),
    "YEAR": ((("date", "datetime"),), "integer", lambda x: f"cast(extract(year from {x}) as bigint)"),
    "RIGHT": ((("string",), ("integer",)), "string", lambda x, n: f"right({x}, {n})"),
    "REPLACE": ((("string",),) * 3, "string", lambda x, y, z: f"replace({x}, {y}, {z})"),
}
AGGREGATES: Mapping[str, tuple[tuple[str, ...], str | None, Callable[[str], str]]] = {
    "SUM": (NUMBERS, None, lambda x: f"sum({x})"),
    "AVG": (NUMBERS, "real", lambda x: f"avg({_double(x)})"),
    "MIN": (ANY, None, lambda x: f"min({x})"),
    "MAX": (ANY, None, lambda x: f"max({x})"),
    "COUNT": (ANY, "integer", lambda x: f"count({x})"),
    "COUNTD": (ANY, "integer", lambda x: f"count(distinct {x})"),
    "ATTR": (ANY, None, lambda x: f"case when min({x}) = max({x}) then min({x}) end"),
}


def aggregate(name: str, value: Value) -> Value:
    types, datatype, sql = AGGREGATES[name]
    if value.level == AGGREGATE:
        raise BadCalculation(f"{name} of what is aggregated already")
    _want(value, types, name)
    return Value(datatype or value.datatype, AGGREGATE, lambda alias: sql(value.sql(alias)))


class _Parser:
    def __init__(self, tokens: list[str], scope: Scope):
        self.tokens, self.scope, self.position = tokens, scope, 0

    def peek(self) -> str:
        return self.tokens[self.position].upper() if self.position < len(self.tokens) else ""

    def take(self) -> str:
        if self.position == len(self.tokens):
            raise BadCalculation("the formula breaks off")
        self.position += 1
        return self.tokens[self.position - 1]

    def expect(self, *words: str) -> str:
        token = self.take()
        if token.upper() not in words:
            raise BadCalculation(f"{' or '.join(words)} is expected where {token!r} stands")
        return token.upper()

    def expression(self) -> Value:
        return self.operators([("OR",), ("AND",)])

    def operators(self, levels: list[tuple[str, ...]]) -> Value:
        if not levels:
            return self.negation()
        left = self.operators(levels[1:])
        while self.peek() in levels[0]:
            word = self.take().lower()
            right = self.operators(levels[1:])
            for value in (left, right):
                _want(value, ("boolean",), word.upper())
            left = self.joined("boolean", f"({{}} {word} {{}})", left, right)
        return left

    def negation(self) -> Value:
        if self.peek() != "NOT":
            return self.comparison()
        self.take()
        value = self.negation()
        _want(value, ("boolean",), "NOT")
        return Value("boolean", value.level, lambda alias: f"(not {value.sql(alias)})")

    def comparison(self) -> Value:
        left = self.sum()
        if self.peek() not in ("=", "==", "<>", "!=", "<", "<=", ">", ">="):
            return left
        operator = {"==": "=", "!=": "<>"}.get(token := self.take(), token)
        right = self.sum()
        _common([left, right], operator)
        return self.joined("boolean", f"({{}} {operator} {{}})", left, right)

    def sum(self) -> Value:
        left = self.product()
        while self.peek() in ("+", "-"):
            operator = self.take()
            right = self.product()
            datatype = _common([left, right], operator)
            if datatype == "string" and operator == "+":
                left = self.joined("string", "({} || {})", left, right)
                continue
            for value in (left, right):
                _want(value, NUMBERS, operator)
            left = self.joined(datatype, f"({{}} {operator} {{}})", left, right)
        return left

    def product(self) -> Value:
        left = self.sign()
        while self.peek() in ("*", "/"):
            operator = self.take()
            right = self.sign()
            for value in (left, right):
                _want(value, NUMBERS, operator)
            if operator == "*":
                left = self.joined(_common([left, right], operator), "({} * {})", left, right)
            else:  # a quotient is real, and NULL where nothing can be divided by
                left = self.joined("real", f"({_double('{}')} / nullif({_double('{}')}, 0))", left, right)
        return left

    def sign(self) -> Value:
        if self.peek() != "-":
            return self.primary()
        self.take()
        value = self.sign()
        _want(value, NUMBERS, "-")
        return Value(value.datatype, value.level, lambda alias: f"(- {value.sql(alias)})")

    def joined(self, datatype: str, sql: str, left: Value, right: Value) -> Value:
        level = _level([left, right], sql.replace("{}", "…"))
        return Value(datatype, level, lambda alias: sql.format(left.sql(alias), right.sql(alias)))

    def primary(self) -> Value:
        token = self.take()
        word = token.upper()
        if token == "(":
            value = self.expression()
            self.expect(")")
            return value
        if token == "{":
            return self.fixed()
        if token[0] == "[":
            return self.field(token)
        if token[0] in "\"'":
            return self.constant("string", literal(token[1:-1]))
        if token[0].isdigit():
            return self.constant("integer" if token.isdigit() else "real", token)
        if word in ("TRUE", "FALSE", "NULL"):
            return self.constant("null" if word == "NULL" else "boolean", word.lower())
        if word == "IF":
            return self.branches(None)
        if word == "CASE":
            return self.branches(self.expression())
        if self.peek() == "(":
            return self.call(word)
        raise BadCalculation(f"{token!r} means nothing")

    def constant(self, datatype: str, sql: str) -> Value:
        return Value(datatype, CONSTANT, lambda alias: sql)

    def field(self, token: str) -> Value:
        names = re.findall(r"\[([^\]]+)\]", token)
        try:
            if len(names) == 1:
                return self.scope.column(names[0])
            if names[0] == "Parameters":
                return self.scope.parameter(names[1])
        except KeyError:
            pass
        raise BadCalculation(f"{token} does not exist")

    def branches(self, subject: Value | None) -> Value:
        """What follows IF, or CASE and its subject."""
        conditions, results, otherwise = [], [], None
        first = "IF" if subject is None else self.expect("WHEN")
        while first in ("IF", "ELSEIF", "WHEN"):
            condition = self.expression()
            if subject is None:
                _want(condition, ("boolean",), "IF")
            else:
                _common([subject, condition], "CASE")
            conditions.append(condition)
            self.expect("THEN")
            results.append(self.expression())
            first = self.expect(*(("ELSEIF",) if subject is None else ("WHEN",)), "ELSE", "END")
        if first == "ELSE":
            otherwise = self.expression()
            self.expect("END")
        outcomes = results + ([otherwise] if otherwise else [])
        level = _level([*conditions, *outcomes, *([subject] if subject else [])], "IF or CASE")

        def sql(alias: str) -> str:
            tests = [c.sql(alias) if subject is None else f"{subject.sql(alias)} = {c.sql(alias)}" for c in conditions]
            whens = " ".join(f"when {t} then {r.sql(alias)}" for t, r in zip(tests, results, strict=True))
            return f"case {whens}{f' else {otherwise.sql(alias)}' if otherwise else ''} end"

        return Value(_common(outcomes, "what IF or CASE gives"), level, sql)

    def call(self, name: str) -> Value:
        self.expect("(")
        arguments = [] if self.peek() == ")" else [self.expression()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.expression())
        self.expect(")")
        if name in ("MIN", "MAX") and len(arguments) == 2:
            return self.least(name, *arguments)
        if name in AGGREGATES and len(arguments) == 1:
            return aggregate(name, arguments[0])
        if name not in FUNCTIONS or len(arguments) != len(FUNCTIONS[name][0]):
            raise BadCalculation(f"{name} with {len(arguments)} arguments is no function that these checks know")
        types, datatype, sql = FUNCTIONS[name]
        for argument, allowed in zip(arguments, types, strict=True):
            _want(argument, allowed, name)
        level = _level(arguments, name)
        return Value(datatype or _common(arguments, name), level, lambda alias: sql(*(a.sql(alias) for a in arguments)))

    def least(self, name: str, left: Value, right: Value) -> Value:
        """MIN(a, b) and MAX(a, b): NULL where one of them is."""
        comparison = "<" if name == "MIN" else ">"
        for value in (left, right):
            _want(value, NUMBERS, name)

        def sql(alias: str) -> str:
            a, b = left.sql(alias), right.sql(alias)
            return f"case when {a} is null or {b} is null then null when {a} {comparison} {b} then {a} else {b} end"

        return Value(_common([left, right], name), _level([left, right], name), sql)

    def fixed(self) -> Value:
        self.expect("FIXED")
        dimensions = []
        while self.peek() != ":":
            dimensions.append(self.expression())
            if self.peek() == ",":
                self.take()
        self.expect(":")
        value = self.expression()
        self.expect("}")
        if value.level != AGGREGATE or any(dimension.level == AGGREGATE for dimension in dimensions):
            raise BadCalculation("FIXED wants dimensions and an aggregate")
        return Value(value.datatype, ROW, self.scope.fixed(dimensions, value))
