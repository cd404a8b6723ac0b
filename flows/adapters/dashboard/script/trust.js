/* How far the figures can be trusted. */

function drawTrust() {
  const { level, quality, reliability, realised, warnings } = data.trust;
  place("trust-note").textContent = quality
    ? text("trust_note", { expected: formats.share(quality.mean_probability), left: formats.share(quality.churn_rate), auc: formats.share(quality.auc), auc_of_all: formats.share(quality.auc_of_all), days: quality.days_to_keep })
    : text("trust_shipped");
  place("trust-note").append(` ${text("no_filter")}`);
  const side = 300, at = (p) => 36 + p * (side - 46), up = (p) => side - 30 - p * (side - 46);
  const lines = [0, 0.25, 0.5, 0.75, 1].map((p) =>
    `<line x1="${at(0)}" x2="${at(1)}" y1="${up(p)}" y2="${up(p)}" stroke="var(--line)"/><text x="${at(0) - 5}" y="${up(p) + 4}" text-anchor="end">${formats.share(p)}</text><text x="${at(p)}" y="${side - 12}" text-anchor="middle">${formats.share(p)}</text>`);
  const dots = reliability.map((row) => {
    const spread = 1.96 * row.standard_error, colour = row.evidence === "realised" ? "var(--high)" : "var(--heat)";
    return `<g stroke="${colour}"><line x1="${at(row.mean_probability)}" x2="${at(row.mean_probability)}" y1="${up(Math.max(0, row.churn_rate - spread))}" y2="${up(Math.min(1, row.churn_rate + spread))}" opacity=".45"/>`
      + `<circle cx="${at(row.mean_probability)}" cy="${up(row.churn_rate)}" r="4" fill="${row.evidence === "realised" ? colour : "var(--paper)"}"><title>${row.as_of_date}: ${formats.share(row.mean_probability)} → ${formats.share(row.churn_rate)}</title></circle></g>`;
  });
  place("reliability").innerHTML = reliability.length
    ? `<svg viewBox="0 0 ${side} ${side + 16}" role="img" aria-label="${text("reliability")}" style="max-width: 420px">${lines.join("")}<line x1="${at(0)}" y1="${up(0)}" x2="${at(1)}" y2="${up(1)}" stroke="var(--dim)" stroke-dasharray="4 4"/>${dots.join("")}<text x="${at(0.5)}" y="${side + 8}" text-anchor="middle">${text("was_said")}</text></svg>`
      + `<div class="legend">${text("reliability")} <i style="border: 2px solid var(--heat)"></i>${text("held_out")} <i style="background: var(--high)"></i>${text("realised")}</div>` : "";
  place("realised").replaceChildren(
    element("h2", {}, text("realised")),
    realised.length
      ? element("table", {}, element("thead", {}, element("tr", {}, ...["measure", "value", "limit"].map((key, n) => element("th", { scope: "col", class: n ? "n" : undefined }, text(key))))),
        element("tbody", {}, ...realised.map((row) => element("tr", {}, element("th", { scope: "row", title: row.model_version }, `${text(row.measure)} (${formats.day(row.as_of_date)})`),
          element("td", { class: row.is_warning ? "n high" : "n" }, formats.figure(row.value)), element("td", { class: "n" }, formats.figure(row.limit_value))))))
      : element("p", {}, text("nothing_realised", { horizon: data.meta.horizon_days })),
    warnings.length ? element("ul", { class: "warns" }, ...warnings.map((words) => element("li", {}, phrase(words)))) : element("p", { class: level === "care" ? "medium" : undefined }, text(level === "care" ? "trust_care" : "no_warnings")));
}
