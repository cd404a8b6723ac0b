"""Moments and numbers as exports write them, with what they say: read alike by Python, DuckDB and Snowflake."""

from datetime import datetime
from decimal import Decimal

from flows.adapters.files.reading.dates.shapes import ORDERS, has_offset, readings, rewrites_for, rewritten
from flows.adapters.files.reading.numbers.shapes import currency_in, is_currency, number_format
from flows.sources.mappings import ISO, TimestampFormat

DAY, MINUTE, SECOND = datetime(2024, 2, 9), datetime(2024, 2, 9, 15, 4), datetime(2024, 2, 9, 15, 4, 5)  # noqa: DTZ001

# text → the one moment that it says
MOMENTS = {
    DAY: [
        "2024-02-09", "2024/2/9", "2024.02.09", "20240209", "9 Feb 2024", "09-Feb-24", "Feb 9, 2024", "FEB 09, 2024",
        "9. Februar 2024", "9 févr. 2024", "9 de febrero de 2024", "vendredi 9 février 2024",
        "Friday, February 9th, 2024",
        "Fr., 9. Feb. 2024", "2024-Feb-09", "09.Feb.2024", "9 feb 2024", "1707436800", "1707436800000", "45331",
        "45331.0",
    ],
    MINUTE: [
        "2024-02-09 15:04", "2024-02-09T15:04", "2024/02/09 15:04", "9 Feb 2024 15:04", "Feb 9, 2024, 3:04 PM",
        "9. Februar 2024, 15:04 Uhr", "9 févr. 2024 à 15:04", "Feb 9, 2024 at 3:04 p.m.", "2024-02-09 3:04 PM",
        "Friday, 9 February 2024 3:04\u202fPM", "202402091504",
    ],
    SECOND: [
        "2024-02-09 15:04:05", "2024-02-09T15:04:05.123", "2024-02-09 15:04:05,123", "2024-02-09T15:04:05.1234567Z",
        "2024-02-09 15:04:05 UTC", "2024-02-09 15:04:05 +0000 UTC", "2024-02-09 15:04:05 -0500",
        "2024-02-09T15:04:05+02", "2024-02-09T15:04:05+01:00[Europe/Berlin]", "2024-02-09  15:04:05 CET",
        "Fri, 09 Feb 2024 15:04:05 GMT", "Fri Feb 09 2024 15:04:05 GMT+0100 (Central European Standard Time)",
        "Fri Feb  9 15:04:05 2024", "Feb 9, 2024 3:04:05 PM PST", "Feb-09-24 15:04:05 PST", "20240209150405",
        "20240209T150405Z", "1707491045", "1707491045.4", "1707491045000", "1707491045000000", "45331.627836",
        "45331,627836", "2024-02-09 03:04:05 PM +01:00",
    ],
}  # fmt: skip
# … or the moment that it says where the day comes first, and where the month does
IN_TWO_ORDERS = {
    DAY: [("09/02/2024", "02/09/2024"), ("9/2/24", "2/9/24"), ("09.02.2024", "02.09.2024"), ("9-2-2024", "2-9-2024"),
          ("090224", "020924", "240209")],
    MINUTE: [("09/02/2024, 15:04", "02/09/2024, 15:04"), ("9.2.24 15:04", "2.9.24 15:04")],
    SECOND: [
        ("09/02/2024 03:04:05 PM", "02/09/2024 3:04:05 pm"),
        ("Fr 09.02.2024 15:04:05", "Fri 02.09.2024 15:04:05"),
    ],
}  # fmt: skip
IN_BERLIN = {
    "2024-02-09 15:04:05 -0500": "2024-02-09 21:04:05",
    "2024-02-09T15:04:05Z": "2024-02-09 16:04:05",
    "2024-07-09T23:04:05.123+01:00": "2024-07-10 00:04:05",
    "2024-02-09 3:04 PM +0530": "2024-02-09 10:34:00",
    "1707491045": "2024-02-09 16:04:05",
    "2024-02-09 15:04:05": "2024-02-09 15:04:05",
}
NO_MOMENTS = [
    "2024-02-30", "0024-02-09", "yesterday", "12:30", "2024-02", "45", "7.41E+12", "99999", "30/04/23", "2024-13-01",
]  # fmt: skip

NUMBERS = {
    "point": {
        "1234.5": ["1234.5", "1,234.50", "1'234.50", "1’234.5", "1 234.50", "1\u00a0234.50", "USD 1,234.50",
                   "1234.50 usd", "$1,234.50", "US$ 1234.5", "Rs. 1,234.50", "1,234.50 kr.", "+1234.50", "€1234.50"],
        "-1234.5": ["-1234.50", "1,234.50-", "(1,234.50)", "($1,234.50)", "$(1,234.50)", "-$1,234.50", "$-1,234.50",
                    "−1234.50", "1234.50 USD-", "- 1234.50", "(1,234.50) EUR"],
        "12": ["12.-", "CHF 12.--", "12.– kr", "12"],
        "123456.7": ["1,23,456.70", "₹1,23,456.70", "123,456.7"],
        "0.5": ["0.5", ".5", "0.500", "$0.50"],
        None: ["19,90", "1.234,50", "1,23", "12-30", "--5", "2024-01-05", "1e3", "5 pcs", "12.30 USD EUR", "1,2345.6",
               "", "-", "USD", "1 23.50", "1.2.3", "(5", "1_000"],
    },
    "comma": {
        "1234.5": ["1234,5", "1.234,50", "1'234,50", "1 234,50", "1\u202f234,50", "EUR 1.234,50", "1.234,50 €",
                   "€1.234,50"],
        "-1234.5": ["-1234,50", "1.234,50-", "(1.234,50)", "1.234,50- €", "€ -1.234,50", "−1.234,50 €"],
        "1234567": ["1.234.567", "1234567,00", "1.234.567,-"],
        "-12": ["-12,-", "(12,—)"],
        "0.5": ["0,5", ",5", "0,500"],
        None: ["54.20", "1,234.50", "1.23", "0.500"],
    },
}  # fmt: skip


def format_of(text, order=None):
    """How a column of this value alone is written; None for what is no moment."""
    rewrites = rewrites_for([text])
    plain = rewritten(text, rewrites)
    meanings = readings(plain)
    found = meanings.get(None) or meanings.get(order)
    return TimestampFormat((found,), rewrites, has_offset(plain)) if found else None


def written_moments():
    """(text, its format, time zone, the moment) of each."""
    alone = [(text, format_of(text, "year_first"), None, moment) for moment, of in MOMENTS.items() for text in of]
    ordered = [
        (text, format_of(text, order), None, moment)
        for moment, pairs in IN_TWO_ORDERS.items()
        for pair in pairs
        for order, text in zip(ORDERS, pair, strict=False)
    ]
    zoned = [(text, format_of(text), "Europe/Berlin", datetime.fromisoformat(at)) for text, at in IN_BERLIN.items()]
    none = [
        (text, format_of(text) or TimestampFormat((ISO,)), None, None) for text in NO_MOMENTS if text != "0024-02-09"
    ]
    return [*alone, *ordered, *zoned, *none]


def written_numbers():
    """(text, its format, the number) of each."""
    found = []
    for decimal, numbers in NUMBERS.items():
        for number, texts in numbers.items():
            for text in texts:
                currency = currency_in(text)
                currencies = {currency: None} if currency and is_currency(currency) else {}
                found.append((text, number_format(decimal, currencies), number and Decimal(number)))
    return found
