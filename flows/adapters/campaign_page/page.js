"use strict";
// Sends what is typed to the server, which computes and writes; the page itself decides nothing.
const root = document.body.dataset.root;
const token = document.querySelector("meta[name=csrf]").content;
const find = (selector) => document.querySelector(selector);

async function post(path, content, signal) {
  const answer = await fetch(`${root}/${path}`, {
    method: "POST", signal, credentials: "same-origin", body: JSON.stringify(content),
    headers: { "content-type": "application/json", "x-csrf-token": token },
  });
  const type = answer.headers.get("content-type") || "";
  return type.startsWith("application/json") ? answer.json() : { problem: `${answer.status} ${answer.statusText}` };
}

function tell(element, text) {
  element.textContent = text || "";
  element.hidden = !text;
}

const form = find("#form");
if (form) {
  const state = find("#state"), preview = find("#preview"), saved = find("#saved"), steps = find("#steps");
  const idle = state.textContent, touched = new Set();
  let isSaved = Boolean(form.dataset.file), asked = null, waiting = null;

  const values = () => {
    const found = {};
    for (const input of form.querySelectorAll("input[name], select[name]")) {
      if (input.closest(".chips")) {
        found[input.name] = found[input.name] || [];
        if (input.checked) found[input.name].push(input.value);
      } else found[input.name] = input.type === "checkbox" ? (input.checked ? "yes" : "") : input.value;
    }
    return found;
  };
  const content = () => ({ file: form.dataset.file || null, digest: form.dataset.digest, values: values() });

  // a field that nobody has reached yet is not scolded
  const show = (problems, all) => {
    const named = [];
    for (const place of form.querySelectorAll(".problem[id^=problem-]")) {
      const key = place.id.slice(8), isShown = key in problems && (all || touched.has(key));
      tell(place, isShown ? problems[key] : "");
      const input = form.elements.namedItem(key);
      if (input && input.setAttribute) input.setAttribute("aria-invalid", String(isShown));
      if (isShown) named.push(place.parentElement.querySelector("label, legend").textContent);
    }
    const rest = problems[""] || Object.entries(problems).filter(([key]) => !document.getElementById(`problem-${key}`)).map(([, text]) => text).join(" ");
    state.textContent = rest || (named.length ? state.dataset.correct.replace("…", named.join(", ")) : idle);
  };
  const unit = () => {
    const kind = form.elements.namedItem("offer.kind").value, place = form.querySelector("[data-currency]");
    place.textContent = kind === "percent_off" ? "%" : kind === "message" || !kind ? "" : place.dataset.currency;
  };
  const look = async () => {
    if (form.dataset.ready !== "yes") return;
    if (asked) asked.abort();
    asked = new AbortController();
    const mine = asked;
    state.textContent = state.dataset.computing;
    preview.setAttribute("aria-busy", "true");
    try {
      const answer = await post("preview", content(), mine.signal);
      if (mine.signal.aborted) return;
      if (answer.problems) { show(answer.problems, false); preview.innerHTML = ""; }
      else if (answer.problem) { show({}, false); state.textContent = answer.problem; preview.innerHTML = ""; }
      else if (answer.html) { show({}, false); state.textContent = ""; preview.innerHTML = answer.html; }
      preview.setAttribute("aria-busy", "false");
    } catch (problem) {
      if (problem.name !== "AbortError") state.textContent = String(problem.message);
    }
  };
  form.addEventListener("input", (event) => {
    touched.add(event.target.name);
    isSaved = false;
    saved.textContent = saved.dataset.unsaved;
    if (steps) { steps.hidden = true; find("#save-first").hidden = false; }
    unit();
    clearTimeout(waiting);
    waiting = setTimeout(look, 350);
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isSaved && touched.size) event.preventDefault();
  });

  const save = async (mayLose) => {
    const answer = await post("save", { ...content(), may_lose_comments: mayLose });
    if (answer.problems) {
      show(answer.problems, true);
      const first = form.querySelector("[aria-invalid=true]");
      if (first) { const more = first.closest("details"); if (more) more.open = true; first.focus(); }
    } else if (answer.problem) state.textContent = answer.problem;
    else if (answer.lost) {
      const dialog = find("#lost"), list = dialog.querySelector("ul");
      list.replaceChildren(...answer.lost.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
      dialog.showModal();
    } else { isSaved = true; location.assign(answer.goto); }
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); save(false); });
  find("#save-anyway").addEventListener("click", () => { find("#lost").close(); save(true); });
  find("#keep").addEventListener("click", () => find("#lost").close());
  unit();
  if (isSaved || form.elements.namedItem("budget").value) look();

  const problem = find("#launch-problem");
  const approve = find("#approve");
  if (approve) approve.addEventListener("click", async () => {
    const answer = await post("approve", content());
    if (answer.goto) location.assign(answer.goto);
    else tell(problem, answer.problem || Object.values(answer.problems || {}).join(" "));
  });
  const launch = find("#launch");
  if (launch) launch.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = launch.querySelector("button");
    button.disabled = true;
    tell(problem, "");
    find("#launched").textContent = launch.dataset.launching;
    if (asked) asked.abort();
    const answer = await post("launch", { ...content(), typed: launch.elements.typed.value });
    button.disabled = false;
    if (answer.html) {
      find("#launched").innerHTML = answer.html;
      steps.hidden = true;
      form.querySelector("fieldset").disabled = true;
    } else { find("#launched").textContent = ""; tell(problem, answer.problem); }
  });
}

const signIn = find("#sign-in");
if (signIn) signIn.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await post("sign-in", { key: signIn.elements.key.value });
  if (answer.goto) location.reload();
  else tell(find("#problem-key"), answer.problem);
});
for (const button of document.querySelectorAll("[data-post]")) button.addEventListener("click", async () => {
  const answer = await post(button.dataset.post, {});
  if (answer.goto) location.assign(answer.goto);
});
const copy = find("#copy");
if (copy) copy.addEventListener("click", async () => {
  const text = find("#paragraph").textContent;
  try { await navigator.clipboard.writeText(text); } catch { // without permission, and over plain HTTP to another machine
    getSelection().selectAllChildren(find("#paragraph"));
    document.execCommand("copy");
  }
  find("#copied").textContent = find("#copied").dataset.copied;
});
document.body.dataset.ready = "yes";
