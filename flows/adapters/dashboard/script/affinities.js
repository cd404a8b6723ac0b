/* What was bought before leaving and before coming back, and who buys at a discount. No filter changes it. */

function drawAffinities() {
  const measures = ["last_bought_by_leavers", "brings_back", "bought_at_a_discount"].filter((measure) => measure in data.affinities);
  place("affinities").closest("section").hidden = !measures.length;
  place("affinities").setAttribute("aria-label", text("affinities"));
  place("affinities").replaceChildren(...measures.map((measure) => {
    const rows = data.affinities[measure];
    if (!rows.length) return element("div", {}, element("h3", {}, text(measure)), element("p", {}, text("none_clear")));
    const head = [element("td"), ...["customers", `${measure}_share`, "whole_shop"].map((name) => element("th", { scope: "col", class: "n" }, text(name)))];
    const body = rows.map((row) => element("tr", {}, element("th", { scope: "row" }, row.kind === "segment" ? phrase(row.name) : row.name),
      ...[formats.count(row.customers), formats.rate(row.share), formats.rate(row.share_of_shop)].map((cell) => element("td", { class: "n" }, cell))));
    return element("div", {}, element("h3", {}, text(measure)), element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)));
  }));
}
