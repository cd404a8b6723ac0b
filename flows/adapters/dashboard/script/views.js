/* Views with a name, kept in this browser and nowhere else: what is filtered, sorted, searched and measured. */

const VIEWS = "churn.views"; // in localStorage: name → the view as the address has it, without the customer who is open

function savedViews() {
  try {
    const views = JSON.parse(localStorage.getItem(VIEWS));
    return views && typeof views === "object" && !Array.isArray(views) ? views : {};
  } catch { return {}; } // what is not readable is not ours
}

function keepViews(views) {
  try {
    localStorage.setItem(VIEWS, JSON.stringify(views));
    place("views-note").textContent = text("views_note");
  } catch { place("views-note").textContent = text("views_failed"); }
  listViews();
}

function listViews() {
  const views = savedViews();
  const summary = place("views").querySelector("summary");
  place("views-list").replaceChildren(...Object.keys(views).sort((a, b) => a.localeCompare(b, language)).map((name) => element("li", {},
    element("button", { type: "button", onclick: () => { place("views").open = false; openView(String(views[name])); summary.focus(); } }, name),
    element("button", { type: "button", class: "remove", "aria-label": text("remove_view", { name }), onclick: () => { const { [name]: _, ...others } = savedViews(); keepViews(others); summary.focus(); } }, "×"))));
}

/** As a step that the back button undoes. */
function openView(view) {
  readAddress(view);
  remembered = null;
  draw();
}

function drawViews() {
  const field = place("view-name");
  place("views").querySelector("summary").textContent = text("views");
  field.setAttribute("aria-label", text("view_name"));
  field.placeholder = text("view_name");
  place("views-note").textContent = text("views_note");
  place("views-form").onsubmit = (event) => {
    event.preventDefault(); // nothing is sent anywhere
    const name = field.value.trim();
    if (!name) return;
    field.value = "";
    keepViews({ ...savedViews(), [name]: viewInAddress({ withCustomer: false }) });
  };
  listViews();
}
