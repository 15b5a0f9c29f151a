// The keyboard, the colours, and what is kept from one visit to the next.

const SECTIONS = ["traffic", "cores", "subjects", "slow", "queues", "connections"];
const THEMES = { auto: "Auto", light: "Light", dark: "Dark" };

// Storage may be forbidden; then nothing is kept.
function remember(name, value) {
  try {
    localStorage.setItem(`dunlin.${name}`, value);
  } catch {
    // Not kept.
  }
}

function recall(name) {
  try {
    return localStorage.getItem(`dunlin.${name}`);
  } catch {
    return null;
  }
}

class Theme {
  constructor() {
    this.button = byId("theme");
    this.button.addEventListener("click", () => this.next());
    this.set(recall("theme") ?? "auto");
  }

  set(name) {
    this.name = name in THEMES ? name : "auto";
    if (this.name === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", this.name);
    setText(this.button, `◐ ${THEMES[this.name]}`);
    setAttr(this.button, "aria-label", `Colours: ${THEMES[this.name].toLowerCase()}`);
  }

  next() {
    const names = Object.keys(THEMES);
    this.set(names[(names.indexOf(this.name) + 1) % names.length]);
    remember("theme", this.name);
  }
}

// Keys without Ctrl, Alt or Meta, where nobody is writing.
class Keys {
  constructor(app) {
    const actions = [
      ["/", "Filter connections", () => this.reach(byId("filter"))],
      ["a", "Choose an account", () => this.reach(byId("account"))],
      ["d", "Next number of tokens for subjects", () => app.subjects.nextDepth()],
      ["p", "Pause and go on", () => byId("pause").click()],
      ["t", "Colours: automatic, light, dark", () => app.theme.next()],
      ["?", "This list", () => byId("help").click()],
    ];
    this.actions = new Map(actions.map(([key, , act]) => [key, act]));
    SECTIONS.forEach((id, at) => this.actions.set(String(at + 1), () => this.reach(byId(`${id}-h`))));
    const lines = [["1 – 6", "Traffic, cores, subjects, slow, queues, connections"], ...actions, ["← →", "In a graph: what was when"], ["Esc", "Clear the filter, close a dialog"]];
    describe(byId("keys-list"), lines);
    document.addEventListener("keydown", (event) => this.press(event));
    byId("help").addEventListener("click", () => byId("keys").showModal());
    byId("filter").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.target.value = "";
      event.target.dispatchEvent(new Event("input"));
      event.target.blur();
    });
    for (const dialog of document.querySelectorAll("dialog")) {
      dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
      // A click beside it closes it too.
      dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    }
    for (const link of document.querySelectorAll("nav a")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.reach(byId(`${link.hash.slice(1)}-h`));
      });
    }
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const writes = event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]");
    const act = this.actions.get(event.key);
    if (!act || writes || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  }

  reach(element) {
    element.focus({ preventScroll: true });
    (element.closest("section") ?? element).scrollIntoView({ block: element.closest("section") && element.id !== "filter" ? "start" : "nearest" });
  }
}
