import pytest

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
        ("name: [", r"c.yml, line 1: this is not YAML"),
        ("- a list\n", r"c.yml describes no campaign"),
        ("", r"c.yml describes no campaign"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_line_and_remedy(text, message):
    with pytest.raises(BadInput, match=message):
        read(text)


def test_everything_that_does_not_fit_is_reported_at_once():
    with pytest.raises(BadInput) as problem:
        read("nme: abc\noffer: {text: ''}\nmargin: 0.4\nbudget: 0\n")
    assert len(str(problem.value).splitlines()) == 4


def test_no_holdout_is_taken_from_somebody_who_knows():
    assert read(SHORT + "holdout: 0\ni_know: true\n").holdout == 0
