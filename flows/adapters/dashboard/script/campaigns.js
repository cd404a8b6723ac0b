/* What campaigns changed. Of one whose window is still open there is nothing here but counts. */

const opened = new Set(); // campaigns whose segments are shown
let forests; // pictures of intervals: of what, in which row, their figures

function drawCampaigns() {
  const { launched, newest, together } = data.campaigns;
  place("campaigns").hidden = !launched;
  if (!launched) return;
  drawTogether(together);
  forests = [];
  const axes = { lift: element("div", { class: "ticks" }), profit: element("div", { class: "ticks" }) };
  const head = (key, attributes, ...more) => element("th", { scope: "col", ...attributes }, text(key), ...more);
  place("campaign-results").replaceChildren(element("table", {},
    element("thead", {},
      element("tr", {}, head("campaign"), ...["treated", "held_out_customers"].map((key) => head(key, { class: "n" }, element("div", {}, text("of_whom_bought")))), head("contacted", { class: "n" }), head("lift", { colspan: 2 }), head("profit", { colspan: 2 })),
      element("tr", { "aria-hidden": "true" }, element("td", { colspan: 4 }), element("td", {}, axes.lift), element("td"), element("td", {}, axes.profit), element("td"))),
    ...newest.flatMap((campaign, n) => campaignRows(campaign, `segments-of-${n}`, axes))));
  const more = launched - newest.length;
  place("campaigns-more").textContent = more ? text("campaigns_more", { count: formats.count(more) }) : "";
  scale(axes);
}

/** What all campaigns changed, by the customers that none of them contacts. */
function drawTogether(result) {
  const paragraph = place("campaigns-together");
  paragraph.hidden = !result;
  if (!result) return;
  const money = formats.moneyIn(result.currency);
  const figures = { from: formats.day(result.period_starts_on), to: formats.day(result.period_ends_on), count: formats.count(result.campaigns), cost: money(result.cost),
    customers: formats.count(result.customers), held_out: formats.count(result.held_out) };
  for (const [of, format] of [["lift", formats.perHundred], ["incremental_revenue", money]]) {
    for (const end of ["", "_low", "_high"]) figures[of + end] = isNumber(result[of + end]) ? format(result[of + end]) : "–";
  }
  const parts = ["together", isKnown("lift", result) ? "together_lift" : "together_unknown", ...(isKnown("incremental_revenue", result) ? ["together_revenue"] : [])];
  paragraph.replaceChildren(element("b", {}, text(parts[0], figures)), ...parts.slice(1).flatMap((key) => [" ", text(key, figures)]));
}

/** Two <tbody>: the campaign, and its segments, which are shown on demand. */
function campaignRows(campaign, id, axes) {
  const all = campaign.results.find(({ segment }) => segment === "all");
  const segments = element("tbody", { id, class: "segments" });
  segments.hidden = !opened.has(campaign.campaign);
  const ofSegments = all ? campaign.results.filter((result) => result !== all) : [];
  const name = ofSegments.length ? element("button", { type: "button", "aria-controls": id, "aria-expanded": !segments.hidden, onclick: () => {
    segments.hidden = !segments.hidden;
    if (segments.hidden) opened.delete(campaign.campaign); else opened.add(campaign.campaign);
    name.setAttribute("aria-expanded", !segments.hidden);
    scale(axes);
  } }, campaign.campaign) : element("b", {}, campaign.campaign);
  const chosen = text(campaign.ranked_by === "uplift" ? "chosen_uplift" : "chosen_chance");
  const heading = element("th", { scope: "row" }, name, element("div", {}, campaign.offer), element("div", {}, text("launched", { day: formats.day(campaign.launched_on), days: formats.count(campaign.window_days) })), element("div", {}, chosen));
  const money = formats.moneyIn(campaign.currency);
  const isComparable = (campaign.currency || null) === (data.meta.currency || null); // on one scale with the others
  const cells = (result, row) => resultCells(result, { row, money, isComparable, isOff: all.is_sample_ratio_off || result.is_sample_ratio_off });
  const whole = element("tbody");
  whole.append(element("tr", {}, heading, ...(all ? cells(all, whole) : countsAlone(campaign))));
  if (all?.is_sample_ratio_off) whole.append(element("tr", { class: "off" }, element("td", { colspan: 8 }, element("div", {}, text("sample_ratio_off")))));
  segments.append(...ofSegments.map((result) => element("tr", {}, element("th", { scope: "row" }, phrase(result.segment)), ...cells(result, segments))));
  return [whole, segments];
}

function countsAlone(campaign) {
  const why = !campaign.held_out ? "nobody_held_out" : campaign.has_ended ? "not_measured" : "withheld";
  return [...["treated", "held_out", "contacted"].map((of) => element("td", { class: "n" }, formats.count(campaign[of]))),
    element("td", { colspan: 4, class: "withheld" }, text(why, { day: formats.day(campaign.window_ends_on) }))];
}

function resultCells(result, { row, money, isComparable, isOff }) {
  const count = (of, rate) => element("td", { class: "n" }, formats.count(result[of] ?? 0), ...(isNumber(result[rate]) ? [element("div", {}, formats.rate(result[rate]))] : []));
  const line = (key, figures) => Object.values(figures).every(isNumber) ? [element("div", {}, text(key, Object.fromEntries(Object.entries(figures).map(([of, value]) => [of, money(value)]))))] : [];
  const buyers = isNumber(result.additional_buyers) ? [element("div", {}, text("additional_buyers", { count: formats.count(Math.round(result.additional_buyers)) }))] : [];
  const returned = isNumber(result.return_on_spend) ? [element("div", {}, text("return_on_spend", { ratio: formats.figure(Math.round(100 * result.return_on_spend) / 100) }))] : [];
  const perBuyer = isKnown("lift", result) && result.lift_low > 0 ? line("cost_per_additional_buyer", { cost: result.cost_per_additional_buyer }) : [];
  const cost = [...line("incremental_revenue", { revenue: result.incremental_revenue }), ...line("cost", { cost: result.cost }), ...returned,
    ...line("afterwards", { revenue: result.revenue_afterwards, low: result.revenue_afterwards_low, high: result.revenue_afterwards_high })];
  return [
    count("treated", "treated_rate"), count("held_out", "held_out_rate"), count("contacted"),
    forest("lift", result, row, isOff), estimate("lift", result, formats.perHundred, isOff, ...buyers, ...perBuyer),
    isComparable ? forest("profit", result, row, isOff) : element("td"), estimate("profit", result, money, isOff, ...cost)];
}

const isNumber = (value) => typeof value === "number";
const isKnown = (of, result) => [of, `${of}_low`, `${of}_high`].every((name) => isNumber(result[name]));

/** The figure with its interval, and a sentence on what they mean. */
function estimate(of, result, format, isOff, ...more) {
  const [value, low, high] = [result[of], result[`${of}_low`], result[`${of}_high`]];
  const [verdict, colour] = !isKnown(of, result) ? ["not_known"] : isOff ? ["not_trusted", "high"]
    : low > 0 ? [`${of}_above`, "low"] : high < 0 ? [`${of}_below`, "high"] : ["not_shown"];
  return element("td", { class: of },
    element("b", {}, isNumber(value) ? format(value) : "–"), " ", element("span", { class: `pill ${colour ?? ""}` }, text(verdict)),
    ...(isKnown(of, result) ? [element("div", {}, text("interval", { low: format(low), high: format(high) }))] : []), ...more);
}

/** Its figures are in the text next to it, so that a screen reader needs no picture. */
function forest(of, result, row, isOff) {
  if (!isKnown(of, result)) return element("td");
  const made = element("td", { class: isOff ? "forest off" : "forest", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
  forests.push({ of, row, made, at: result[of], low: result[`${of}_low`], high: result[`${of}_high`] });
  return made;
}

/** Puts all pictures that are shown on one scale, which has zero on it. */
function scale(axes) {
  for (const [of, axis] of Object.entries(axes)) {
    const shown = forests.filter((picture) => picture.of === of && !picture.row.hidden);
    const [least, most] = [Math.min(0, ...shown.map(({ low }) => low)), Math.max(0, ...shown.map(({ high }) => high))];
    const room = (most - least || 1) * 0.05;
    const percent = (value) => (100 * (value - least + room)) / (most - least + 2 * room);
    for (const { made, at, low, high } of shown) {
      for (const [name, value] of Object.entries({ zero: 0, from: low, at, to: high })) made.style.setProperty(`--${name}`, percent(value).toFixed(2));
    }
    const format = of === "lift" ? (share) => formats.figure(100 * share) : formats.moneyIn(data.meta.currency, { notation: "compact", maximumFractionDigits: 1 });
    axis.replaceChildren(...(shown.length ? roundNumbers(least, most) : []).map((value) => {
      const tick = element("span", {}, format(value));
      tick.style.setProperty("--at", percent(value).toFixed(2));
      return tick;
    }));
  }
}

/** At most five round numbers between two. */
function roundNumbers(least, most) {
  const rough = (most - least) / 4.5 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough * 0.999);
  const first = Math.ceil(least / step);
  return Array.from({ length: Math.floor(most / step) - first + 1 }, (_, n) => (first + n) * step);
}
