// What the page gains with a script: tabs, the other theme, and tooltips for the pointer and the keyboard.
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // Theme: the system's until somebody chooses the other one.
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.hidden = false;
  button.setAttribute("aria-description", "Switch to the other theme");
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  system.addEventListener("change", label);
  label();

  // Tabs, of the links to the parts.
  const nav = document.getElementById("tabs");
  const tabs = [...nav.querySelectorAll("a")];
  const panel = (tab) => document.getElementById(tab.hash.slice(1));
  const open = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      panel(tab).hidden = tab !== chosen;
    }
    hide();
  };
  const step = (event, list, index) => {
    const moves = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: list.length - 1 };
    if (!(event.key in moves)) return null;
    event.preventDefault();
    return list[(moves[event.key] + list.length) % list.length];
  };
  nav.setAttribute("role", "tablist");
  tabs.forEach((tab, index) => {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", tab.hash.slice(1));
    panel(tab).setAttribute("role", "tabpanel");
    tab.addEventListener("click", (event) => { event.preventDefault(); open(tab); });
    tab.addEventListener("keydown", (event) => {
      const next = step(event, tabs, index);
      if (next) { open(next); next.focus(); }
      if (event.key === " ") { event.preventDefault(); open(tab); }
    });
  });

  // Tooltips. Each chart is one stop of the Tab key; arrows move between its marks.
  const tip = document.getElementById("tip");
  let shown = null;
  const hide = () => { tip.hidden = true; shown = null; };
  const show = (mark) => {
    shown = mark;
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const at = mark.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
    const above = at.top - tip.offsetHeight - 8;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above >= 8 ? above : Math.min(at.bottom + 8, innerHeight - tip.offsetHeight - 8)}px`;
  };
  const beside = (mark, marks, direction) => {  // the nearest mark in the next row up or down
    const from = mark.getBoundingClientRect();
    let best = null, least = Infinity;
    for (const other of marks) {
      const to = other.getBoundingClientRect();
      const down = (to.top + to.bottom - from.top - from.bottom) / 2 * direction;
      if (down < 4) continue;
      const distance = down * 1000 + Math.abs(to.left - from.left);
      if (distance < least) { least = distance; best = other; }
    }
    return best;
  };
  for (const plot of document.querySelectorAll("svg.plot")) {
    const marks = [...plot.querySelectorAll(".m")];
    const enter = (mark) => {
      for (const other of marks) other.setAttribute("tabindex", other === mark ? 0 : -1);
      mark.focus();
    };
    marks.forEach((mark, index) => {
      const title = mark.querySelector("title");
      mark.setAttribute("aria-label", title.textContent);
      mark.setAttribute("role", "img");
      mark.setAttribute("tabindex", index === 0 ? 0 : -1);
      title.remove();  // the browser's own tooltip would come on top of ours
      mark.addEventListener("focus", () => show(mark));
      mark.addEventListener("blur", hide);
      mark.addEventListener("pointerenter", () => show(mark));
      mark.addEventListener("pointerleave", hide);
      mark.addEventListener("keydown", (event) => {
        if (event.key === "Escape") hide();
        const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        const next = direction ? beside(mark, marks, direction) : step(event, marks, index);
        if (direction) event.preventDefault();
        if (next) enter(next);
      });
    });
  }
  addEventListener("scroll", () => { if (shown) show(shown); }, { passive: true });
  open(tabs.find((tab) => tab.hash === location.hash) || tabs[0]);
})();
