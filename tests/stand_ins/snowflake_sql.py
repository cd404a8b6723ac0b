"""What Snowflake would say of a statement that the stand-in, which has DuckDB inside, lets pass."""

import re
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import TokenType

# Snowflake's own functions, https://docs.snowflake.com/en/sql-reference/functions-all: those that we use, and no more
FUNCTIONS = frozenset(
    """abs avg ceil chr coalesce convert_timezone count count_if date_trunc dateadd datediff dayofyear first_value
    flatten floor get_path greatest iff lag lead least length listagg lower max max_by md5 median min mod
    nullif object_construct parse_json percent_rank percentile_cont percentile_disc position power regexp_like
    regexp_replace replace right round row_number split split_part sqrt substr sum translate trim
    try_to_timestamp_ntz upper
    """.split()  # noqa: SIM905
)
OURS = frozenset({"predict_churn", "predict_churn_udf"})
# words before a parenthesis that are no functions
_WORDS = frozenset(
    """add all and as by case cast cluster columns copy distinct else end except exclude exists files file_format from
    group having identifier ilike in insert into is join left like not null on or order over partition primary qualify
    sample schema select set then try_cast union unique update using values when where with within
    boolean char date decimal double float integer number numeric string text timestamp timestamp_ntz timestamp_tz
    varchar variant
    """.split()  # noqa: SIM905
)
# https://docs.snowflake.com/en/sql-reference/reserved-keywords: not as a name without quotes
RESERVED = frozenset(
    """account all alter and any as between by case cast check column connect connection constraint create cross
    current database delete distinct drop else exists false following for from full grant group gscluster having ilike
    in increment inner insert intersect into is issue join lateral left like localtime localtimestamp minus natural not
    null of on or order organization qualify regexp revoke right rlike row rows sample schema select set some start
    table tablesample then to trigger true try_cast union unique update using values view when whenever where with
    """.split()  # noqa: SIM905
)
# statements about objects and sessions, of which sqlglot knows little
_COMMANDS = re.compile(
    r"\s*(/\*.*?\*/\s*)?(alter|begin|comment|commit|copy|create (or replace )?(schema|stage|function)|describe"
    r"|desc|drop|grant|put|remove|revoke|rollback|show|truncate|use)\b",
    re.IGNORECASE | re.DOTALL,
)


def problems(statement: str) -> list[str]:
    """What is not Snowflake's SQL, or means something else there than in DuckDB."""
    if _COMMANDS.match(statement):
        return []
    try:
        tree = sqlglot.parse_one(statement, dialect="snowflake")
    except sqlglot.ParseError as problem:
        return [f"not understood: {problem}"]
    if isinstance(tree, exp.Command) or re.match(r"\s*from\b", statement, re.IGNORECASE):
        return ["not understood"]
    return [*_unknown_functions(statement), *_rounded_divisions(tree), *_reserved_names(tree)]


def _unknown_functions(statement: str) -> list[str]:
    tokens = Snowflake().tokenize(statement)
    called = {
        name.text.lower()
        for name, bracket in pairwise(tokens)
        if bracket.token_type == TokenType.L_PAREN and re.fullmatch(r"[A-Za-z_]\w*", name.text)
        and name.token_type not in (TokenType.STRING, TokenType.IDENTIFIER)
    }  # fmt: skip
    relations = {table.name.lower() for table in sqlglot.parse_one(statement, dialect="snowflake").find_all(exp.Table)}
    names = {alias.name.lower() for alias in sqlglot.parse_one(statement, dialect="snowflake").find_all(exp.TableAlias)}
    unknown = called - FUNCTIONS - OURS - _WORDS - relations - names
    return [f"no function of Snowflake's that we know: {name}" for name in sorted(unknown)]


def _rounded_divisions(tree: exp.Expression) -> list[str]:
    """Snowflake divides NUMBERs to six decimals; DuckDB makes doubles of them."""
    return [
        f"the dividend is no double: {division.sql(dialect='snowflake')}"
        for division in tree.find_all(exp.Div)
        if not (isinstance(division.this, exp.Cast) and division.this.to.this == exp.DataType.Type.DOUBLE)
    ]


def _reserved_names(tree: exp.Expression) -> list[str]:
    return [
        f"reserved: {name.name}"
        for name in tree.find_all(exp.Identifier)
        if not name.args.get("quoted") and name.name.lower() in RESERVED
    ]
