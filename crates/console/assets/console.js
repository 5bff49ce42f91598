// What a page does beside being read: times in the reader's zone, and the keys of the inbox. Pages work without it.
"use strict";

/** Writes times in the reader's zone; the exact time in UTC stays where the pointer rests. */
function localTimes(root) {
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const hour = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  const today = new Date().toDateString();
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.textContent = (at.toDateString() === today ? hour : day).format(at);
    time.dataset.local = "";
  }
}

/** The rows of the inbox, and the one that is chosen. */
function rows() {
  return [...document.querySelectorAll("[data-row]")];
}

function choose(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  all[next].querySelector("a").focus();
}

function open(to) {
  const link = rows().find((row) => row.contains(document.activeElement))?.querySelector("a");
  if (link) location.assign(link.href + to);
}

/** Only puts the reader there, and never on what decides: a key that is held, or pressed to scroll, must not. */
function goTo(id) {
  const target = document.getElementById(id);
  if (target) target.focus();
  else open(`#${id}`);
}

const KEYS = { j: () => choose(1), k: () => choose(-1), a: () => goTo("stands"), r: () => goTo("why") };

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("DOMContentLoaded", () => {
  localTimes(document);
  if (location.hash === "#stands" || location.hash === "#why") goTo(location.hash.slice(1));
});

// What is replaced keeps the reader where they were, and what they have written.
let focused = null;
let written = [];
let unfolded = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  focused = document.activeElement?.getAttribute("href") ?? null;
  const fields = event.target.querySelectorAll("input[id]:not([type])");
  written = [...fields].filter((field) => field.value).map((field) => [field.id, field.value]);
  unfolded = [...event.target.querySelectorAll("details[id][open]")].map((details) => details.id);
});
document.addEventListener("htmx:afterSwap", (event) => {
  localTimes(event.target);
  for (const [id, value] of written) {
    const field = event.target.querySelector(`#${id}`);
    if (!field) continue;
    field.value = value;
    field.focus();
  }
  for (const id of unfolded) {
    event.target.querySelector(`#${id}`)?.setAttribute("open", "");
  }
  if (!focused) return;
  for (const link of event.target.querySelectorAll("a[href]")) {
    if (link.getAttribute("href") === focused) link.focus();
  }
});

// Forms that a passkey signs: the browser asks for it, and what it says goes along.
const CEREMONIES = {
  create: (options) =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  get: (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
};

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-passkey]");
  if (!form) return;
  event.preventDefault();
  const told = form.querySelector("[role=alert]");
  told.hidden = true;
  try {
    const credential = await CEREMONIES[form.dataset.passkey](JSON.parse(form.dataset.options));
    form.elements.namedItem("response").value = JSON.stringify(credential.toJSON());
    // The page may have been told meanwhile, and have another form by now.
    if (!form.isConnected) document.body.append(form);
    form.submit();
  } catch (error) {
    told.textContent = `The passkey did not sign: ${error.message}`;
    told.hidden = false;
  }
});
