"""Two-letter codes (ISO 3166-1) of countries as shops write them: codes or English names."""

import pyarrow as pa

_CODES = {
    "australia": "au", "austria": "at", "belgium": "be", "brazil": "br", "bulgaria": "bg", "canada": "ca",
    "china": "cn", "croatia": "hr", "cyprus": "cy", "czech republic": "cz", "czechia": "cz", "denmark": "dk",
    "eire": "ie", "estonia": "ee", "finland": "fi", "france": "fr", "germany": "de", "great britain": "gb",
    "greece": "gr", "hong kong": "hk", "hungary": "hu", "iceland": "is", "india": "in", "ireland": "ie",
    "israel": "il", "italy": "it", "japan": "jp", "latvia": "lv", "liechtenstein": "li", "lithuania": "lt",
    "luxembourg": "lu", "malta": "mt", "mexico": "mx", "netherlands": "nl", "new zealand": "nz", "norway": "no",
    "poland": "pl", "portugal": "pt", "romania": "ro", "singapore": "sg", "slovakia": "sk", "slovenia": "si",
    "south africa": "za", "south korea": "kr", "spain": "es", "sweden": "se", "switzerland": "ch", "turkey": "tr",
    "uk": "gb", "ukraine": "ua", "united arab emirates": "ae", "united kingdom": "gb", "united states": "us",
    "united states of america": "us", "usa": "us",
}  # fmt: skip


def country_codes(countries: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each country's code in small letters; NULL where it is not known."""
    encoded = countries.combine_chunks().dictionary_encode()
    codes = pa.array([_code(name) for name in encoded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([codes.take(encoded.indices)])


def _code(country: str) -> str | None:
    name = country.strip().lower()
    return _CODES.get(name) or (name if len(name) == 2 and name.isascii() and name.isalpha() else None)
