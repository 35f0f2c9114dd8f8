// Sends a form when a field of it changes, and swaps the parts of the page that came back different.
// Without this file every form works by its button, and every page is whole.
"use strict";
(() => {
  const main = document.querySelector("main");
  const said = document.getElementById("said");
  let running = null;

  async function send(form, submitter) {
    const fields = new URLSearchParams(new FormData(form, submitter));
    const get = form.method === "get";
    const address = get ? `${form.action}?${fields}` : form.action;
    if (running) running.abort();
    const mine = (running = new AbortController());
    const focused = document.activeElement && document.activeElement.id;
    main.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, get ? { signal: mine.signal } : { method: "POST", body: fields, signal: mine.signal });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (get) history.replaceState(null, "", address);
      focus(form.dataset.then || focused, Boolean(form.dataset.then));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      location.assign(get ? address : location.href); // the plain way: load the page anew
      return;
    }
    if (running === mine) {
      running = null;
      main.removeAttribute("aria-busy");
    }
  }

  function swap(page) {
    for (const part of page.querySelectorAll("[data-swap]")) {
      const there = document.getElementById(part.id);
      // Messages that did not change stay as they were opened.
      if (there && (part.id !== "messages" || there.outerHTML !== part.outerHTML)) there.replaceWith(document.adoptNode(part));
    }
    const advice = document.querySelector("[data-said]");
    if (said && advice) {
      said.textContent = "";
      requestAnimationFrame(() => { said.textContent = advice.dataset.said; });
    }
  }

  function focus(id, moved) {
    const target = id && document.getElementById(id);
    if (!target) return;
    target.focus({ preventScroll: true });
    if (moved) target.scrollIntoView({ block: "nearest" });
    const box = (target.closest("section") || target).getBoundingClientRect();
    if (moved && (box.top > innerHeight * 0.6 || box.top < 0)) target.scrollIntoView({ block: "start" });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-live]")) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-fire]");
    if (form && event.target.value !== "") form.requestSubmit();
  });

  // --- the list of patients: each word must be there
  const find = document.querySelector("[data-find]");
  if (find) {
    const stories = [...document.querySelectorAll("[data-story]")].map((item) => [item, item.textContent.toLowerCase()]);
    const show = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const [item, text] of stories) {
        item.hidden = !words.every((word) => text.includes(word));
        left += item.hidden ? 0 : 1;
      }
      for (const chapter of document.querySelectorAll("[data-chapter]")) {
        chapter.hidden = !chapter.querySelector("[data-story]:not([hidden])");
      }
      document.getElementById("found").textContent = words.length ? `${left} of ${stories.length}` : "";
    };
    find.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const first = document.querySelector("[data-story]:not([hidden]) a");
      if (first && find.value.trim()) first.click();
    });
    find.addEventListener("input", show);
    show();
  }

  // --- tabs: both parts stand below each other without this file
  const list = document.querySelector('[role="tablist"]');
  if (list) {
    const tabs = [...list.querySelectorAll('[role="tab"]')];
    const choose = (chosen, move) => {
      for (const tab of tabs) {
        const on = tab === chosen;
        const panel = document.getElementById(tab.getAttribute("aria-controls"));
        tab.setAttribute("aria-selected", String(on));
        tab.tabIndex = on ? 0 : -1;
        panel.hidden = !on;
      }
      if (move) chosen.focus();
    };
    for (const tab of tabs) {
      const panel = document.getElementById(tab.getAttribute("aria-controls"));
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
    }
    list.addEventListener("click", (event) => {
      const tab = event.target.closest('[role="tab"]');
      if (tab) choose(tab, false);
    });
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const at = tabs.indexOf(document.activeElement);
      if (step && at >= 0) {
        event.preventDefault();
        choose(tabs[(at + step + tabs.length) % tabs.length], true);
      }
    });
    list.hidden = false;
    choose(tabs[0], false);
  }

  // --- long JSON is fetched when it is opened
  document.addEventListener("toggle", async (event) => {
    const box = event.target;
    if (!(box instanceof HTMLDetailsElement) || !box.open || !box.dataset.src || box.querySelector("pre")) return;
    const answer = await fetch(box.dataset.src, { headers: { "X-Wanted": "text/html" } });
    if (!answer.ok || box.querySelector("pre")) return;
    const block = document.createElement("pre");
    block.tabIndex = 0;
    block.setAttribute("aria-label", box.querySelector("summary").textContent);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    block.append(...page.body.childNodes);
    box.append(block);
  }, true);
})();
