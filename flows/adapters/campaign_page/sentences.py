"""What speaks against a campaign, in the page's words: amounts with their currency, remedies in terms of the form."""

from flows.adapters.campaign_page.desk import Refusal
from flows.adapters.campaign_page.language import Language
from flows.campaigns.offer import Offer
from flows.campaigns.warnings import PlanWarning


def describe(say: Language, warning: PlanWarning, currency: str | None) -> str:
    """A warning of a plan."""
    of = warning.values
    match warning.code:
        case "expected_to_lose":
            loses = "warns_loses" if of["is_sure"] else "warns_loses_perhaps"
            then = say("warns_spent_to_learn") if of["is_to_learn"] else _tick(say)
            return f"{say(loses, loss=say.money(of['loss'], currency))} {then}"
        case "may_lose":
            return say("warns_may_lose", loss=say.money(of["loss"], currency))
        case "shows_nothing":
            return say("shows_nothing", n=say.count(of["customers_needed"]))
        case "other_offer":
            return _other_offer(say, warning, currency)
        case "other_season":
            months = dict.fromkeys(say.month(day) for day in of["learnt_on"])
            return say("warns_other_season", months=", ".join(months))
        case "too_old":
            return say(
                "warns_too_old", day=say.day(of["as_of"]), age=say.count(of["age_days"]), limit=of["max_age_days"]
            )
        case "no_control_group" | "cannot_pay":
            return say(f"warns_{warning.code}")


def refusal(say: Language, refused: Refusal) -> str:
    """Why something is not done."""
    if refused.warning is None:
        return "\n".join(map(say.translated, str(refused).split("\n")))
    if refused.warning.code == "expected_to_lose":
        return f"{say('refuses_to_lose')} {_tick(say)}"
    return describe(say, refused.warning, None)


def _tick(say: Language) -> str:
    return say("warns_tick_to_learn", box=say("to_learn"), place=say("more_options"))


def _other_offer(say: Language, warning: PlanWarning, currency: str | None) -> str:
    past, sent, ratio = (warning.values[name] for name in ("learnt_from", "sent", "ratio"))
    learnt = say("and").join(dict.fromkeys(_offer(say, one, currency) for one in past))
    found = [say("warns_other_offer", learnt=learnt, sent=_offer(say, sent, currency))]
    if ratio is None:
        found.append(say("warns_changes_nothing"))
        if any(one.kind is None for one in (*past, sent)):
            found.append(say("warns_undescribed"))
    elif ratio < 1:
        found.append(say("warns_weaker", share=say.percent(ratio)))
    else:
        found.append(say("warns_stronger", times=say.typed(round(ratio, 1))))
    return " ".join(found)


def _offer(say: Language, offer: Offer, currency: str | None) -> str:
    """Its kind and value; its text where it has no kind."""
    if offer.kind is None:
        return say("offer_of_text", text=offer.text)
    if offer.value is None:
        return say(f"offer_{offer.kind}")
    if offer.kind == "percent_off":
        return say("offer_off", value=say.percent(offer.value / 100))
    value = say.money(offer.value, currency, 2 if offer.value % 1 else 0)
    return say("offer_off", value=value) if offer.kind == "amount_off" else say(
        "offer_worth", what=say(f"offer_{offer.kind}"), value=value)  # fmt: skip
