/* The whole page: what is around the charts, and its start. No library, no request to anywhere. */

function drawFilters() {
  place("choices").replaceChildren(...["segment", "lifecycle", "country", "channel", "risk_band"].filter((name) => data.members[name].length).map((dimension) => {
    const select = element("select", { onchange: () => {
      if (select.value === "") filters.delete(dimension); else filters.set(dimension, new Set([+select.value]));
      draw();
    } }, element("option", { value: "" }, text(`all_${dimension}`)), ...positions(dimension).map((key) => element("option", { value: key }, memberName(dimension, key))), element("option", { value: "many", hidden: "", disabled: "" }, "…"));
    updates.push(() => {
      const chosen = [...(filters.get(dimension) ?? [])];
      select.value = chosen.length === 0 ? "" : chosen.length === 1 && chosen[0] >= 0 ? chosen[0] : "many";
    });
    return element("label", { class: ["risk_band", "lifecycle"].includes(dimension) ? "scored" : undefined }, text(dimension), select);
  }));
  place("measures").setAttribute("aria-label", text("measures"));
  place("measures").replaceChildren(...measuresShown().map((of) => {
    const made = element("button", { type: "button", onclick: () => { measure = of; draw(); } }, text(of));
    updates.push(() => made.setAttribute("aria-pressed", measure === of));
    return made;
  }));
  updates.push(() => {
    for (const made of document.querySelectorAll(".of-measure")) made.textContent = `· ${text(measure)}`;
    place("how-many").textContent = text("how_many", { shown: formats.count(total("customers")), all: formats.count(data.meta.customers) });
    place("chips").replaceChildren(...choices().map(([dimension, position]) =>
      element("button", { type: "button", class: "chip", onclick: () => { toggle({ [dimension]: position }); (place("chips").querySelector("button") ?? place("how-many")).focus(); } }, `${named(text(dimension), memberName(dimension, position))} ×`)));
    place("not-here").textContent = missing.length ? text("not_here", { what: missing.map(([dimension, member]) => named(text(dimension), member)).join("; ") }) : "";
    place("reset").hidden = !filters.size && !search && !order.by;
  });
}

function drawFrame() {
  const { meta } = data;
  document.documentElement.lang = language;
  document.title = text("title");
  for (const made of document.querySelectorAll("[data-text]")) made.textContent = text(textOf(made.dataset.text), { horizon: meta.horizon_days });
  place("filters").setAttribute("aria-label", text("filters"));
  place("language").textContent = language === "en" ? "Français" : "English";
  place("as-of").textContent = text("as_of", { day: formats.day(meta.as_of), horizon: meta.horizon_days });
  place("verdict").className = data.trust.level;
  place("verdict").textContent = [verdict(), meta.newest_order && text("newest_order", { day: formats.day(meta.newest_order) }), ...meta.age_warnings.map((words) => `${phrase(words)}.`)].filter(Boolean).join(" ");
  place("changes").hidden = !data.changes;
  place("changes").textContent = data.changes ? `${changes(data.changes)} ${text("no_filter")}` : "";
  const { borders } = meta;
  place("borders").hidden = !borders;
  if (borders) {
    const key = borders.is_provisional ? "borders_provisional" : meta.as_of >= borders.review_due_on ? "borders_due" : "borders_kept";
    place("borders").textContent = text(key, { window: borders.window_days, decided: formats.day(borders.decided_as_of), due: formats.day(borders.review_due_on) });
  }
  place("forecast").textContent = `${forecast(meta.forecast, meta.horizon_days)} ${lifetimeValue(meta.clv, meta.expected_loss)} ${text("no_filter")}`;
  place("promises").hidden = !data.promises.length;
  place("promises").textContent = [...data.promises.map(promise), text("no_filter")].join(" ");
  place("second-order").textContent = `${secondOrder(meta.second_order, meta.horizon_days)} ${text("no_filter")}`;
  place("second-order").hidden = !meta.second_order;
  place("why-unscored").textContent = text("unscored", { why: phrase(meta.why_unscored) });
  document.body.classList.toggle("is-unscored", !meta.is_scored);
  const lines = [
    meta.is_scored ? text("scored_on", { when: `${formats.day(meta.scored_at)} ${meta.scored_at.slice(11, 16)} UTC`, version: meta.model_version }) : null,
    text("read", { lines: formats.count(meta.order_lines) }),
    ...meta.notes.map(phrase),
    meta.shows_pii ? text("pii_shown") : text("pii_masked"),
  ];
  place("footer").replaceChildren(element("ul", {}, ...lines.filter(Boolean).map((line) => element("li", {}, line))));
}

/** Brings everything up to date with the filters, the address too. */
function draw(how = "pushState") {
  remember(how);
  cellsFailing = failing(data.cells, data.cells.customers.length);
  for (const update of updates) update();
}

/** Builds the page in a language; what was chosen stays chosen. */
function build(chosenLanguage) {
  language = chosenLanguage;
  updates.length = 0;
  translations.clear();
  phrases = phrasesOf(Object.values(data.texts.phrases).flat());
  makeFormats();
  data.list.words = searchable(data.list);
  drawFrame();
  drawFilters();
  drawFigures();
  drawQueueSums();
  drawMonth();
  drawSegments();
  drawRfm();
  drawMovement();
  drawBars("country");
  drawBars("channel");
  drawRetention();
  drawTime();
  drawCohortValue();
  if (data.meta.is_scored) { drawBars("lifecycle", (stage) => text(`lifecycle_${stage}_means`)); drawChurn(); drawDisagreement(); drawTrust(); }
  for (const id of ["segments", "lifecycle", "rfm", "disagreement", "country", "channel", "movement", "retention"]) if (place(id).querySelector("button.mark")) oneTabStop(id);
  if (data.meta.is_scored) oneTabStop("churn", "toolbar");
  drawCampaigns();
  drawList();
  oneTabStop("list");
  drawFind();
  drawViews();
  updates.push(updateDrawer);
  drawAffinities();
  drawReceipt();
  draw();
}

/** The data of an element of the page. */
async function unpacked(id) {
  const bytes = Uint8Array.from(atob(place(id).textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

async function start() {
  data = await unpacked("data");
  texts = data.texts.labels;
  readAddress();
  build(navigator.language?.startsWith("fr") ? "fr" : "en");
  place("language").onclick = () => build(language === "en" ? "fr" : "en");
  place("theme").onclick = () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  };
  for (const link of document.querySelectorAll(".skip")) {
    link.onclick = (event) => { event.preventDefault(); place(link.hash.slice(1)).focus(); }; // the address is the view's
  }
  const bar = new ResizeObserver(([{ target }]) => document.documentElement.style.setProperty("--bar", `${getComputedStyle(target).position === "sticky" ? target.offsetHeight : 0}px`));
  bar.observe(place("filters"));
  place("drawer").onclose = () => { if (shownCustomer) showCustomer(null); };
  place("reset").onclick = () => { filters.clear(); search = place("search").value = ""; order.by = null; rowsShown = 25; draw(); place("how-many").focus(); };
  place("search").oninput = (event) => {
    const before = search;
    search = event.target.value.trim().toLowerCase();
    draw(before && search ? "replaceState" : "pushState"); // one step back leads to before the search, not to each letter
  };
  addEventListener("popstate", () => { readAddress(); draw(); });
  place("more").onclick = () => { rowsShown += 100; draw(); if (place("more").hidden) place("search").focus(); };
  document.body.dataset.ready = "yes"; // data-ready: all is drawn
}

start().catch((problem) => {
  place("failed").hidden = false;
  place("failed").textContent += ` (${problem.message})`;
  throw problem;
});
