import pytest

from flows.adapters.dashboard.phrases import in_french
from flows.campaigns.definition import read_campaign
from flows.errors import BadInput

SEGMENTS = ("Champions", "At risk", "Lost")
WHOLE = """
name: win-back
audience:
  segments: [At risk, Lost]
  risk_bands: [high]
  consent: known
offer:
  text: 5 € off
  cost_per_contact: 0.1
  cost_per_redemption: 5
margin: 0.4
budget: 500
contact_cap: {contacts: 2, days: 60}
holdout: 0.25
window_days: 45
destination: hubspot
"""
SHORT = "name: abc\noffer: {text: hello}\nmargin: 0.4\nbudget: 10\n"


def read(text):
    return read_campaign(text, "c.yml", SEGMENTS)


def test_a_file_says_all_there_is_to_a_campaign():
    campaign = read(WHOLE)
    assert campaign.audience.segments == ("At risk", "Lost")
    assert campaign.offer.cost(0.5) == pytest.approx(2.6)
    assert (campaign.holdout, campaign.window_days, campaign.destination) == (0.25, 45, "hubspot")


def test_what_is_left_out_has_a_default_that_can_be_measured_and_reaches_nobody():
    campaign = read(SHORT)
    assert campaign.audience.segments is None
    assert campaign.holdout == 0.2
    assert campaign.destination == "csv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHORT.replace("margin", "mergin"), r"c.yml, line 3: mergin is no key of a campaign. Did you mean margin\?"),
        (SHORT.replace("margin: 0.4\n", ""), r"c.yml, line 1: margin is missing"),
        (SHORT.replace("hello", "hello, cost_per_contct: 1"), r"line 2: offer.cost_per_contct .* cost_per_contact"),
        (SHORT + "audience:\n  segments:\n  - at risk\n", r"line 7: .* no segment 'at risk'. Did you mean At risk"),
        (SHORT + "audience: {risk_bands: [hgh]}\n", r"line 5: audience.risk_bands.0: 'hgh'.*'low', 'medium' or 'high'"),
        (SHORT + "audience:\n  bought: {due: true}\n", r"line 6: audience.bought.category: name either"),
        (SHORT + "audience:\n  bought: {categry: tea}\n", r"line 6: audience.bought.categry .* Did you mean category"),
        (SHORT.replace("10", "0"), r"line 4: budget: 0: input should be greater than 0"),
        (SHORT.replace("10", "-3"), r"line 4: budget: -3"),
        (SHORT.replace("10", ".inf"), r"line 4: budget: inf"),
        (SHORT.replace("10", "much"), r"line 4: budget: 'much'"),
        (SHORT.replace("0.4", "40"), r"line 3: margin: 40: input should be less than or equal to 1"),
        (SHORT.replace("abc", "Win Back!"), r"line 1: name: 'Win Back!' must be 3 to 60 small letters"),
        (SHORT + "holdout: 0\n", r"line 5: holdout: with 0 nobody can know .*`i_know: true`"),
        (SHORT + "holdout: 1\n", r"line 5: holdout: 1"),
        (SHORT + "destination: pigeon\n", r"line 5: destination: 'pigeon'"),
        (SHORT + "budget: 20\n", r"line 4: budget is duplicated|line 5: budget is duplicated"),
        (SHORT.replace("hello", "hello, kind: amount_off"), r"^c.yml, line 2: offer.value: amount_off needs what"),
        (SHORT.replace("hello", "hello, value: 5"), r"^c.yml, line 2: offer.value: say what it is: kind: message, am"),
        (SHORT.replace("hello", "hello, kind: message, value: 5"), r"line 2: offer.value: a message has none"),
        (SHORT.replace("hello", "hello, kind: percent_off, value: 0.15"), r"line 2: offer.value: .* 15 for 15 %"),
        (SHORT.replace("hello", "hello, kind: coupon"), r"line 2: offer.kind: 'coupon'.*'amount_off'"),
        ("name: [", r"c.yml, line 1: this is not YAML"),
        ("- a list\n", r"c.yml describes no campaign"),
        ("", r"c.yml describes no campaign"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_line_and_remedy(text, message):
    with pytest.raises(BadInput, match=message):
        read(text)


@pytest.mark.parametrize(
    ("wrong", "line", "right"),
    [
        ("text: Offer: 5 € off", 2, 'text: "Offer: 5 € off"'),
        ("text: %5 off", 2, 'text: "%5 off"'),
        ("text: @you", 2, 'text: "@you"'),
        ("text: 'It's 5 off'", 2, 'text: "It\'s 5 off"'),
        ("\ttext: hello", 2, "  text: hello"),
        ("text:hello\n  cost_per_contact: 1", 2, "text: hello"),
    ],
)
def test_an_offer_that_is_not_yaml_is_refused_with_the_line_to_write(wrong, line, right):
    whole = "offer:\n  {}\nname: abc\nmargin: 0.4\nbudget: 10\n"
    with pytest.raises(BadInput, match=rf"^c.yml, line {line}: ") as problem:
        read(whole.format(wrong).replace("  \t", "\t"))
    message, written = str(problem.value).split(" Write this line:\n")
    assert "this is not YAML" in message
    assert written.strip() == right.strip()
    assert read(whole.format(written.strip())).offer.text


def test_an_apostrophe_in_a_list_is_refused_with_the_line_to_write():
    with pytest.raises(BadInput, match="use double ones") as problem:
        read(SHORT + "audience:\n  segments: ['Can't lose', Lost]\n")
    written = str(problem.value).split("\n")[-1]
    assert written == '  segments: ["Can\'t lose", "Lost"]'


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("margin", "0,35", "0.35"), ("margin", "35 %", "0.35"), ("margin", "35%", "0.35"), ("budget", "1,000", "1000"),
        ("budget", "1.000,50 €", "1000.5"), ("budget", "1'000", "1000"), ("budget", "500 EUR", "500"),
    ],
)  # fmt: skip
def test_a_number_that_is_written_otherwise_is_refused_with_the_one_to_write(key, value, meant):
    text = "".join(f"{key}: {value}\n" if line.startswith(key) else f"{line}\n" for line in SHORT.splitlines())
    with pytest.raises(BadInput, match=rf"write a number, with a point and without a unit: {key}: {meant}\.$"):
        read(text)


def test_a_share_in_percent_is_refused_with_the_share():
    with pytest.raises(BadInput, match=r"35 % is written 0\.35"):
        read(SHORT.replace("0.4", "35"))


def test_names_of_segments_on_the_french_page_are_understood():
    text = SHORT + "audience: {segments: [à risque, Perdus, Champions]}\n"
    found = read_campaign(text, "c.yml", SEGMENTS, translated=in_french(SEGMENTS))
    assert found.audience.segments == ("At risk", "Lost", "Champions")


@pytest.mark.parametrize(
    ("audience", "message"),
    [
        ("countries: [Germny]", r"line 5: audience.countries: there is no country 'Germny'. Did you mean Germany\?"),
        (
            "languages: [fr]",
            r"line 5: audience.languages: no language is known of any customer: contacts need a column",
        ),
        ("channels: [emial]", r"line 5: audience.channels: there is no channel 'emial'. Did you mean email\?"),
    ],
)
def test_countries_channels_and_languages_that_no_customer_has_are_refused(audience, message):
    with pytest.raises(BadInput, match=message):
        read_campaign(
            SHORT + f"audience: {{{audience}}}\n",
            "c.yml",
            SEGMENTS,
            {"countries": ("Germany", "France"), "channels": ("email",), "languages": ()},
        )


def test_everything_that_does_not_fit_is_reported_at_once():
    with pytest.raises(BadInput) as problem:
        read("nme: abc\noffer: {text: ''}\nmargin: 0.4\nbudget: 0\n")
    assert len(str(problem.value).splitlines()) == 4


def test_no_holdout_is_taken_from_somebody_who_knows():
    assert read(SHORT + "holdout: 0\ni_know: true\n").holdout == 0


CONTENTS = """variants:
  shoes: {text: New shoes}
  hats: {text: New hats, cost_per_contact: 0.2}
"""


def test_a_variant_has_the_costs_of_the_offer_unless_it_has_its_own():
    offers = read(SHORT + CONTENTS).offers
    assert {name: (offer.text, offer.cost_per_contact) for name, offer in offers.items()} == {
        "shoes": ("New shoes", 0.0),
        "hats": ("New hats", 0.2),
    }
    assert read(SHORT).offers == {}


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (CONTENTS.replace("hats", "Hats!"), r"line 7: variants.Hats!: a name is up to 30 small letters"),
        (CONTENTS.replace("text: New hats", "txet: x"), r"line 7: variants.hats.txet is no key of a campaign. Did you"),
        ("variants: {shoes: {text: New shoes}}\n", r"line 5: variants: .* at least 2 items"),
        ("variants: [shoes, hats]\n", r"line 5: variants: .* write a name for each, with keys of its own"),
    ],
)
def test_variants_that_do_not_fit_are_refused_with_line_and_remedy(variants, message):
    with pytest.raises(BadInput, match=message):
        read(SHORT + variants)
