"""Files that people upload to a marketing service: one for each campaign and service, with all of its customers.

The columns of each service's importer, and its rules for their values (as of 2026):

mailchimp  `Email Address` is the only column that must be there; headers are matched with the audience's fields; a
           `Tags` column has a tag, or several with commas between them; a text is cut at 255 bytes.
           https://mailchimp.com/help/format-guidelines-for-your-import-file/
klaviyo    The first column is `Email`; headers that are no property of Klaviyo's become custom properties. Klaviyo asks
for consent when the file is uploaded; a column `Email Marketing Consent` is for mixed lists. We send none, because
being chosen by a campaign is not a subscription.
           https://help.klaviyo.com/hc/en-us/articles/115005078967
brevo      `EMAIL` and `EXT_ID` identify a contact; other headers are attributes, in capitals. The separator is detected
(semicolon, comma or tab); its API's `fileBody` accepts the semicolon only, so we write that.
           https://help.brevo.com/hc/en-us/articles/208729849-Create-a-file-to-import-your-contacts
google     `Email`, trimmed and in small letters, as SHA-256; a column of countries is read with postcodes only.
           `ad_user_data` and `ad_personalization` are GRANTED for everyone in it: Customer Match takes nobody else.
           Google Ads takes a file's upload for that statement; who connects it in Data Manager maps the columns.
           https://support.google.com/google-ads/answer/7659867, https://support.google.com/google-ads/answer/14546648
meta       `email`, `extern_id` and `country`. The address and the two-letter country code, trimmed and in small
letters, as SHA-256. Meta takes external ids as they are: we write the SHA-256 of ours, which may be addresses, so a
pixel's external_id must be the same to match.
           https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences, and what Meta's own SDK
           does: facebook_business/adobjects/helpers/customaudiencemixin.py of facebook/facebook-python-business-sdk

A service's file has no byte order mark: an importer might read it as part of the first header.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.files.country_codes import country_codes
from flows.adapters.files.spreadsheet_csv import begins_a_formula, safe_for_spreadsheets, write_csv
from flows.ports.destination import CONTACT_SCHEMA, SendRequest, addresses, control_group_of, results

SEGMENTS_FOLDER = "_segments"  # no campaign can have this name
_WHO = ("email", "customer_id")
_FROM_OUTSIDE = [
    "customer_id",
    "country",
    "currency",
    *(name for name in CONTACT_SCHEMA.names if name.startswith("next_")),
]
_FORMULA = "A spreadsheet would take the address for a formula."


@dataclass(frozen=True)
class Layout:
    """`headers`: by the names of our columns, in the file's order. `of_campaign`: the header of the campaign's name."""

    headers: Mapping[str, str]
    of_campaign: str
    delimiter: str = ","


LAYOUTS = {
    "mailchimp": Layout(
        {
            "email": "Email Address", "customer_id": "CUSTOMER", "segment": "SEGMENT", "risk_band": "RISK",
            "lifecycle": "LIFECYCLE", "queue": "QUEUE", "churn_probability": "CHURN", "expected_spend": "SPEND",
            "clv": "CLV", "expected_loss": "LOSS", "win_back_value": "WIN_BACK", "reason": "REASON",
            "recommended_action": "ACTION", "next_product_1": "NEXT_1", "next_product_2": "NEXT_2",
            "next_product_3": "NEXT_3", "next_product_name_1": "NAME_1", "next_product_name_2": "NAME_2",
            "next_product_name_3": "NAME_3", "next_category_1": "NEXT_CAT", "offer": "OFFER", "variant": "VARIANT",
            "country": "COUNTRY", "currency": "CURRENCY",
        },
        of_campaign="Tags",
    ),
    "klaviyo": Layout(
        {
            "email": "Email", "customer_id": "customer_id", "segment": "rfm_segment", "risk_band": "churn_risk_band",
            "lifecycle": "churn_lifecycle", "queue": "churn_queue", "churn_probability": "churn_probability",
            "expected_spend": "expected_spend", "clv": "churn_clv", "expected_loss": "expected_loss",
            "win_back_value": "win_back_value", "reason": "churn_reason", "recommended_action": "recommended_action",
            "next_product_1": "next_product_1", "next_product_2": "next_product_2",
            "next_product_3": "next_product_3", "next_product_name_1": "next_product_name_1",
            "next_product_name_2": "next_product_name_2", "next_product_name_3": "next_product_name_3",
            "next_category_1": "next_category_1",
            "offer": "last_offer", "variant": "last_variant",
            "country": "Country", "currency": "currency",
        },
        of_campaign="last_campaign",
    ),
    "brevo": Layout(
        {"email": "EMAIL", "customer_id": "EXT_ID"} | {name: name.upper() for name in CONTACT_SCHEMA.names[2:]},
        of_campaign="CAMPAIGN",
        delimiter=";",
    ),
}  # fmt: skip
HASHED = ("google", "meta")
NAMES = ("csv", *LAYOUTS, *HASHED)


@dataclass(frozen=True)
class CsvFiles:
    """Writes `<folder>/<campaign>/<name>.csv`, in full each time: a campaign's file needs all of its customers, not
    only those who have not been sent. `name` is one of NAMES."""

    folder: Path
    name: str

    @property
    def is_full_refresh(self) -> bool:
        return True

    def file(self, audience: str | None) -> Path:
        return self.folder / (audience or SEGMENTS_FOLDER) / f"{self.name}.csv"

    def suppression_file(self, audience: str) -> Path:
        return self.folder / audience / f"{self.name}_control_group.csv"

    def check(self, request: SendRequest) -> None:
        """A file can always be written."""

    def send(self, request: SendRequest) -> Iterator[pa.Table]:
        people = _tidy(request.people)
        others: list[pa.Table] = []
        file = self.file(request.audience)
        if self.name == "csv":
            write_csv(safe_for_spreadsheets(people), file)
        elif self.name in HASHED:
            people, others = _with_address(people, formulas_do_harm=False)
            write_csv(_hashed(people, self.name), file, for_excel=False)
        else:
            layout = LAYOUTS[self.name]
            people, others = _with_address(people, formulas_do_harm=True)
            write_csv(_laid_out(people, layout, request.audience), file, layout.delimiter, for_excel=False)
        yield pa.concat_tables([results(people.column("customer_id"), "sent"), *others])

    def suppress(self, request: SendRequest) -> str:
        """A file with nothing but who they are, in the form that the service excludes or imports by."""
        assert request.audience is not None  # only campaigns have a control group
        file, people = self.suppression_file(request.audience), _tidy(request.people)
        if self.name == "csv":
            write_csv(safe_for_spreadsheets(people.select(_WHO)), file)
            return str(file)
        people, _ = _with_address(people, formulas_do_harm=self.name not in HASHED)
        if self.name in HASHED:
            write_csv(_hashed(people, self.name), file, for_excel=False)
            return str(file)
        layout = LAYOUTS[self.name]
        only_who = replace(layout, headers={name: layout.headers[name] for name in _WHO})
        laid_out = _laid_out(people, only_who, control_group_of(request.audience))
        write_csv(laid_out, file, layout.delimiter, for_excel=False)
        return str(file)


def _tidy(people: pa.Table) -> pa.Table:
    """The columns in our order, with significant digits only."""
    people = people.select(CONTACT_SCHEMA.names).cast(CONTACT_SCHEMA)
    figures = {"churn_probability": 4, "expected_spend": 2, "clv": 2, "expected_loss": 2, "win_back_value": 2}
    for name, digits in figures.items():
        people = people.set_column(people.column_names.index(name), name, pc.round(people.column(name), digits))
    return people


def _with_address(people: pa.Table, formulas_do_harm: bool) -> tuple[pa.Table, list[pa.Table]]:
    """The customers who can be in the file, and the results of the others."""
    found = addresses(people)
    people = people.set_column(people.column_names.index("email"), "email", found)
    has_none = found.is_null()
    # an apostrophe before it, as elsewhere, would make it another address
    is_formula = pc.and_(pc.fill_null(begins_a_formula(found), False), formulas_do_harm)
    others = [
        results(people.filter(has_none).column("customer_id"), "no_address"),
        results(people.filter(is_formula).column("customer_id"), "refused", _FORMULA),
    ]
    return people.filter(pc.invert(pc.or_(has_none, is_formula))), others


def _laid_out(people: pa.Table, layout: Layout, audience: str | None) -> pa.Table:
    # only text from outside is escaped: customers would read an apostrophe before "-20% on all"
    strangers = safe_for_spreadsheets(people.select(_FROM_OUTSIDE))
    columns = {
        header: (strangers if name in strangers.column_names else people).column(name)
        for name, header in layout.headers.items()
    }
    if audience is not None:
        columns[layout.of_campaign] = pa.repeat(audience, len(people))
    return pa.table(columns)


def _hashed(people: pa.Table, service: str) -> pa.Table:
    emails = _hashes(pc.utf8_lower(people.column("email")))
    if service == "google":
        granted = pa.repeat("GRANTED", len(people))
        return pa.table({"Email": emails, "ad_user_data": granted, "ad_personalization": granted})
    return pa.table(
        {
            "email": emails,
            "extern_id": _hashes(people.column("customer_id")),
            "country": _hashes(country_codes(people.column("country"))),
        }
    )


def _hashes(texts: pa.ChunkedArray) -> pa.Array:
    """SHA-256 in hexadecimal digits; NULL for NULL."""
    given = texts.to_pylist()
    return pa.array(
        [None if text is None else hashlib.sha256(text.encode()).hexdigest() for text in given], pa.string()
    )
