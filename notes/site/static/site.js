// Light or dark: what the system says, until the reader says otherwise.
"use strict";
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const store = (value) => {
    try {
      if (value) localStorage.setItem("theme", value);
      else localStorage.removeItem("theme");
    } catch {
      // Storage may be off: the choice then lasts as long as the page.
    }
  };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const tell = () => button.setAttribute("aria-pressed", String(isDark()));
  button.hidden = false;
  button.addEventListener("click", () => {
    const wanted = isDark() ? "light" : "dark";
    const own = wanted !== (system.matches ? "dark" : "light");
    if (own) root.dataset.theme = wanted;
    else delete root.dataset.theme;
    store(own ? wanted : "");
    tell();
  });
  system.addEventListener("change", tell);
  tell();

  // "/" goes to the search, as in many manuals; not while something is written.
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const field = document.getElementById("q");
    if (field) field.focus();
    else location.href = document.getElementById("to-search").href;
  });
})();
