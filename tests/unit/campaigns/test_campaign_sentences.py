"""What speaks against a campaign, as its page says it in English and in French."""

from datetime import date
from typing import get_args

import pytest

from flows.adapters.campaign_page.language import Language
from flows.adapters.campaign_page.sentences import describe
from flows.campaigns.offer import Offer
from flows.campaigns.warnings import Code, PlanWarning

EN, FR = Language("en"), Language("fr")
AS_OF = date(2026, 2, 28)
FIVE_OFF, TEN_OFF = Offer(text="x", kind="amount_off", value=5), Offer(text="x", kind="amount_off", value=10)
TENTH_OFF, GIFT = Offer(text="x", kind="percent_off", value=10), Offer(text="x", kind="gift")
LOSES = {"loss": 1234.4, "is_sure": True, "is_to_learn": False}
WARNINGS = [
    ("expected_to_lose", LOSES,
     "Contact nobody: by what past campaigns changed, this one is expected to lose €1,234. To spend that on learning,"
     " tick “Launch even if it is expected to lose” under “More options”.",
     "Ne contactez personne : d’après les campagnes passées, celle-ci devrait perdre 1 234 €. Pour dépenser cela afin"
     " d’apprendre, cochez « Lancer même si une perte est attendue » dans « Autres options »."),
    ("expected_to_lose", LOSES | {"is_sure": False, "is_to_learn": True},
     "Contact nobody: by what past campaigns changed, this one is expected to lose €1,234, though not beyond doubt."
     " This is spent to learn.",
     "Ne contactez personne : d’après les campagnes passées, celle-ci devrait perdre 1 234 €, sans certitude. Cette"
     " somme sert à apprendre."),
    ("may_lose", {"loss": 50.0},
     "This may lose up to €50 (90 % interval): a gain is expected but not sure, and what is lost is spent to learn.",
     "Une perte allant jusqu’à 50 € est possible (intervalle à 90 %) : un gain est attendu sans être sûr, et ce qui"
     " serait perdu sert à apprendre."),
    ("no_control_group", {}, "There is no control group: what this campaign changes will never be known.",
     "Il n’y a pas de groupe témoin : on ne saura jamais ce que cette campagne a changé."),
    ("shows_nothing", {"detectable_lift": 0.1, "holdout": 0.2, "customers_needed": 1941},
     "This campaign cannot show anything. With this control group it would take 1,941 customers.",
     "Cette campagne ne peut rien démontrer. Avec ce groupe témoin, il faudrait 1 941 clients."),
    ("cannot_pay", {},
     "This offer cannot pay: it costs more than the margin of the purchase that it may bring. Offer less, or raise the"
     " margin.",
     "Cette offre ne peut pas être rentable : elle coûte plus que la marge de l’achat qu’elle peut apporter. Offrez"
     " moins, ou augmentez la marge."),
    ("other_offer", {"learnt_from": [FIVE_OFF, GIFT], "sent": TENTH_OFF, "ratio": None},
     "Past campaigns sent €5 off and a gift, and this one sends 10% off. It may change nothing at all.",
     "Les campagnes passées proposaient 5 € de remise et un cadeau, et celle-ci propose 10 % de remise. Elle peut ne"
     " rien changer du tout."),
    ("other_offer", {"learnt_from": [Offer(text="5 € off")], "sent": GIFT, "ratio": None},
     "Past campaigns sent “5 € off”, and this one sends a gift. It may change nothing at all. Give the kind and the"
     " value of each offer, and they can be compared.",
     "Les campagnes passées proposaient « 5 € off », et celle-ci propose un cadeau. Elle peut ne rien changer du tout."
     " Précisez le type et la valeur de chaque offre pour pouvoir les comparer."),
    ("other_offer", {"learnt_from": [TEN_OFF], "sent": FIVE_OFF, "ratio": 0.5},
     "Past campaigns sent €10 off, and this one sends €5 off. It is worth 50% of that, and is expected to change so"
     " much of what they did.",
     "Les campagnes passées proposaient 10 € de remise, et celle-ci propose 5 € de remise. Elle en vaut 50 %, et"
     " l’effet attendu est réduit d’autant."),
    ("other_offer", {"learnt_from": [FIVE_OFF], "sent": TEN_OFF, "ratio": 2.04},
     "Past campaigns sent €5 off, and this one sends €10 off. It is worth 2 times as much, and is expected to change as"
     " much as they did.",
     "Les campagnes passées proposaient 5 € de remise, et celle-ci propose 10 € de remise. Elle vaut 2 fois plus, et"
     " l’effet attendu est le même."),
    ("other_season", {"learnt_on": [date(2025, 11, 3), date(2025, 11, 20)], "launched_on": AS_OF},
     "Past campaigns ran in Nov 2025: another season may respond otherwise.",
     "Les campagnes passées ont eu lieu en nov. 2025 : à une autre saison, la réaction peut être différente."),
    ("too_old", {"as_of": AS_OF, "age_days": 1500, "max_age_days": 7},
     "The last run is as of 28 Feb 2026, 1,500 days ago, and nothing is sent on data of more than 7 days ago"
     " (STOP_SENDING_AFTER_DAYS): bring in newer orders and `make run` first.",
     "Le dernier calcul est au 28 févr. 2026, il y a 1 500 jours, et rien n’est envoyé sur des données de plus de 7"
     " jours (STOP_SENDING_AFTER_DAYS) : récupérez les commandes récentes et lancez d’abord `make run`."),
]  # fmt: skip


@pytest.mark.parametrize(("code", "values", "english", "french"), WARNINGS)
def test_what_speaks_against_a_campaign_is_said_in_terms_of_the_form_and_with_the_currency(
    code, values, english, french
):
    warning = PlanWarning(code, "in terms of a file", values)
    assert plain(describe(EN, warning, "EUR")) == english
    assert plain(describe(FR, warning, "EUR")) == french


def test_each_warning_of_a_plan_has_its_words():
    assert {code for code, *_ in WARNINGS} == {*get_args(Code)}


def plain(text):
    """With plain spaces."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")
