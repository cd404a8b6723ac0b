"""Orders that look for differences: whatever an engine could read, round, sort or count in a way of its own."""

import csv
import io
import random

HEADER = (
    "order_id", "customer_id", "ordered_at", "sku", "quantity", "unit_price", "discount", "country", "channel",
    "Bemerkung", "E-Mail",
)  # fmt: skip
CUSTOMERS = (
    "A", "a", "Ä", "ä", "ß", "ss", "0", "00", "1e3", "O'Brien", 'say "hi"', "back\\slash", "per%cent", "under_score",
    "semi;colon", "two words", "日本", "🙂", "NULL", "null", "true", "2024-01-01", "-1", "$$", "{{ jinja }}", "x" * 200,
)  # fmt: skip
COUNTRIES = ("DE", "de", "", "Österreich", "O'Land", "NULL", "\\N")
PRICES = ("0,01", "0,005", "9,995", "1.234,50 €", "99999,99", "12", "3,3333", "0", "")
TIMES = (
    "2024-02-29 23:59:59", "2024-02-29T23:59:59.999", "2023-12-31 23:30:00", "2024-03-31 01:59:00",
    "2024-03-31 02:30:00",
    "2024-10-27T02:30:00+02:00", "2024-10-27T01:30:00Z", "2024-05-05T23:30:00-05:00", "2024-01-01", "2024-1-5 7:05",
    "2024-06-30 00:00:00", "2024-06-15 12:00:00+00", "2024-06-15 12:00:00 UTC",
    "2024-06-15T12:00:00+0200", "2024-06-15T12:00:00.000+0000", "2024-06-15 12:00:00 +0200", "2024-06-15 12:00:00 -05",
)  # fmt: skip
TILL = "till@example.org"  # of everybody
# of a pair of customers each, but for those that are of nobody
EMAILS = (*(f"Pair{n}@Example.org " for n in range(21)), "Ä@ä.de", "o'brien@example.org", "two@at@example.org", TILL)
BAD_TIMES = ("2024-02-30 10:00", "1700000000", "31/12/2024", "yesterday", "", "2999-01-01", "2024-06-31T10:00:00Z")


def adversarial_orders(seed: int, lines: int, changed: bool = False) -> str:
    """A CSV of orders. `changed`: the same shop a while later, with late orders, returns and some lines gone."""
    draw = random.Random(seed)
    rows = [_line(draw, number) for number in range(lines)]
    rows += rows[: lines // 20]  # exported twice
    if changed:
        later = random.Random(seed + 1)
        rows = [row for row in rows if later.random() > 0.05]
        rows += [_line(later, lines + number) for number in range(lines // 10)]
        sold = [row for row in rows if not row[4].startswith("-")]
        rows += [_sent_back(later, row) for row in later.sample(sold, lines // 10)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerows([HEADER, *rows])
    return text.getvalue()


def adversarial_contacts(seed: int, contacts: int) -> str:
    """A CSV of contacts of the same shop."""
    draw, of_consent = random.Random(seed), random.Random(seed + 1)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([
        "Record ID", "Customer ID", "Email", "Additional email addresses", "Opt out", "Opted out at", "x",
        "Opted out of newsletter", "Legal basis", "Advertising consent", "ad_user_data", "ad_personalization",
    ])  # fmt: skip
    for number in range(contacts):
        writer.writerow([
            draw.choice((number, number // 2, "")), draw.choice((*CUSTOMERS, "", f"C{draw.randint(1, 40):03}")),
            draw.choice((*EMAILS, "", "no address")), draw.choice(("", ";", f" {draw.choice(EMAILS)};;x@y.z")),
            draw.choice(("true", "FALSE", "no", "", "perhaps", "1", "0")),
            draw.choice(("", "", "2024-02-29", "2024-01-05T10:00:00Z", "soon")), draw.choice(("", "a,b", 'say "hi"')),
            of_consent.choice(("", "no", "yes")), of_consent.choice(("", "Freely given Consent", "contract")),
            *(of_consent.choice(("", "", "GRANTED", "denied", "unspecified", "perhaps")) for _ in range(3)),
        ])  # fmt: skip
    writer.writerow(["nobody", "", "", "", "no", *[""] * 7])
    writer.writerow(["of no customer", "", "no address", "", "no", *[""] * 7])
    return text.getvalue()


def adversarial_products(seed: int) -> str:
    """A CSV of products of the same shop."""
    draw = random.Random(seed)
    rows = ["Artikelnummer;Bezeichnung;Warengruppe;Aktiv"]
    for number in range(40):
        sku = draw.choice((f"S{number % 7}", f" S{number % 7} ", ""))
        name, category = draw.choice(("Tasse, blau", "", "Öl")), draw.choice(("Tassen", "", " Öl "))
        rows.append(f"{sku};{name};{category};{draw.choice(('ja', 'Nein', '', '-1', 'vielleicht', 'Ö'))}")
    return "\n".join([*rows, "zu;viele;Spalten;in;dieser;Zeile", ""])


def _line(draw: random.Random, number: int) -> tuple[str, ...]:
    some_day = f"{draw.choice((2022, 2023, 2024))}-{draw.randint(1, 6):02}-{draw.randint(1, 28):02}"
    usual = f"{some_day} {draw.randint(0, 23):02}:{draw.randint(0, 59):02}:00"
    ordered_at = draw.choice((usual,) * 12 + TIMES + BAD_TIMES)
    quantity = draw.choice(("1", "1", "2", "3,5", "-1", "-2", "", "many", "0"))
    customer = draw.choice((*CUSTOMERS, "", "  ")) if draw.random() < 0.5 else f"C{draw.randint(1, 40):03}"
    return (
        f"{draw.choice('AC')}{number // 2}", customer, ordered_at, f"S{draw.randint(1, 5)}", quantity,
        draw.choice(PRICES), draw.choice(("", "", "1,5", "x")), draw.choice(COUNTRIES),
        draw.choice(("web", "", "shop")),
        draw.choice(("", "line\nbreak", "'; drop table orders; --")), _email(draw, customer),
    )  # fmt: skip


def _email(draw: random.Random, customer: str) -> str:
    pair = f"pair{int(customer[1:]) // 2}@example.org" if customer[1:].isdigit() else f"{customer.strip()}@Example.org"
    return draw.choice(("", "", pair, f" {pair.upper()}", TILL))


def _sent_back(draw: random.Random, sold: tuple[str, ...]) -> tuple[str, ...]:
    order_id, customer, _, sku, quantity, price, *rest = sold
    back_on = f"2024-06-{draw.randint(1, 28):02} 10:00:00"
    return (draw.choice((order_id, f"R{order_id}")), customer, back_on, sku, f"-{quantity or 1}", price, *rest)
