// Keys, quiet renewal and small conveniences. Every act also works by mouse and without this file.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const typing = (event) =>
    event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox])") || event.altKey || event.ctrlKey || event.metaKey;

  // ---- the queue ----
  const queue = $("#queue[data-refresh]");
  let chosen = null;
  const rows = () => $$("tr[data-id]", queue);
  const choose = (row, scroll = true) => {
    rows().forEach((other) => other.classList.toggle("chosen", other === row));
    chosen = row ? row.dataset.id : null;
    if (row) {
      sessionStorage.setItem("chosen", chosen);
      if (scroll) row.scrollIntoView({ block: "nearest" });
    }
  };
  const current = () => rows().find((row) => row.dataset.id === chosen);
  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    choose(all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
  };
  const claimFrom = (row, outcome) => {
    const form = $("#claim");
    form.action = `/hits/${row.dataset.id}/claim`;
    form.elements.outcome.value = outcome;
    form.submit();
  };
  if (queue) {
    choose(rows().find((row) => row.dataset.id === sessionStorage.getItem("chosen")) || rows()[0] || null, false);
    queue.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-id]");
      if (row) choose(row, false);
    });
    document.addEventListener("keydown", (event) => {
      if (typing(event)) return;
      const row = current();
      if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
      else if (event.key === "Enter" && row && !event.target.closest("a, button")) location.href = row.dataset.open;
      else if ((event.key === "c" || event.key === "d") && row) claimFrom(row, event.key === "c" ? "confirmed" : "dismissed");
      else return;
      event.preventDefault();
    });
    $$(".filters select").forEach((field) => field.addEventListener("change", () => field.form.submit()));
  }

  // ---- pictures: what was read where the pointer is; whether boxes are drawn is remembered ----
  const boxes = $("#boxes");
  if (boxes) {
    boxes.checked = localStorage.getItem("boxes") !== "off";
    boxes.addEventListener("change", () => localStorage.setItem("boxes", boxes.checked ? "on" : "off"));
    document.addEventListener("pointerover", (event) => {
      const box = event.target.closest(".seen rect");
      if (!box) return;
      const said = $(".box-said", box.closest("figure"));
      said.textContent = $("title", box).textContent;
      said.classList.add("told");
    });
  }

  // ---- renewal: the part is fetched and put in place; selection, scrolling and half-typed forms stay ----
  const renewed = $("[data-refresh]");
  const renew = async () => {
    if (document.hidden || (renewed.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"))) return;
    let answer;
    try {
      answer = await fetch(renewed.dataset.refresh, { headers: { "x-fragment": "1" } });
    } catch {
      return; // the next round tries again
    }
    if (answer.status === 401) location.reload();
    if (!answer.ok || answer.redirected) return;
    const text = await answer.text();
    const body = queue ? $("tbody", queue) : renewed;
    const at = rows_index();
    const template = document.createElement("template");
    template.innerHTML = text; // our own page, escaped by the server; the policy lets no script in it run
    body.replaceChildren(template.content);
    if (queue) {
      const all = rows();
      choose(current() || all[Math.min(at, all.length - 1)] || null, false);
    }
    renewed.dispatchEvent(new CustomEvent("renewed"));
  };
  const rows_index = () => (queue ? Math.max(0, rows().indexOf(current())) : 0);
  if (renewed) {
    setInterval(renew, 10000);
    document.addEventListener("visibilitychange", renew);
    document.addEventListener("renew", renew);
  }

  // ---- one hit ----
  const hit = $("#hit");
  const decision = $("#decision");
  const quick = () => $$(".quick ol").find((list) => !list.hidden);
  const showQuick = () => {
    const outcome = decision.elements.outcome.value;
    $$(".quick ol").forEach((list) => (list.hidden = list.dataset.outcome !== outcome));
  };
  const outcome = (value) => {
    if (decision) {
      decision.elements.outcome.value = value;
      showQuick();
      $("#decide").scrollIntoView({ block: "nearest" });
      decision.elements.reason.blur();
      return true;
    }
    const button = $(`#claim button[value="${value}"]`);
    if (button) button.click();
    return Boolean(button);
  };
  if (decision) {
    showQuick();
    decision.addEventListener("change", showQuick);
    decision.addEventListener("click", (event) => {
      const pick = event.target.closest("[data-reason]");
      if (!pick) return;
      decision.elements.reason.value = pick.dataset.reason;
      decision.elements.reason.focus();
    });
    decision.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) decision.requestSubmit($("button.main", decision));
      if (event.key === "Escape") event.target.blur();
    });
  }
  if (hit) {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.ctrlKey && decision && !typing({ target: event.target })) return decision.requestSubmit($("button.main", decision));
      if (typing(event)) return;
      const go = { j: hit.dataset.after, k: hit.dataset.before, u: hit.dataset.list }[event.key];
      if (go) location.href = go;
      else if (event.key === "c") outcome("confirmed");
      else if (event.key === "d") outcome("dismissed");
      else if (event.key === "l" && $("#claim")) $("#claim button[value='']").click();
      else if (decision && quick() && /^[1-9]$/.test(event.key)) $$("button", quick())[event.key - 1]?.click();
      else return;
      event.preventDefault();
    });
    const light = (rule, on) => {
      if (!rule) return;
      $$("mark[data-rules]").forEach((mark) => mark.classList.toggle("lit", on && mark.dataset.rules.split(" ").includes(rule)));
      $$(".reasons li[data-rule]").forEach((line) => line.classList.toggle("lit", on && line.dataset.rule === rule));
    };
    for (const name of ["mouseover", "mouseout"]) {
      document.addEventListener(name, (event) => {
        const line = event.target.closest(".reasons li[data-rule]");
        const mark = event.target.closest("mark[data-rules]");
        if (line) light(line.dataset.rule, name === "mouseover");
        else if (mark) light(mark.dataset.rules.split(" ")[0], name === "mouseover");
      });
    }
  }
  // ---- one text to label ----
  const label = $("#label");
  if (label) {
    document.addEventListener("keydown", (event) => {
      if (typing(event) || !/^[0-9]$/.test(event.key)) return;
      const key = event.key === "0" ? $("button[value=pass]", label) : $$(":scope > button", label)[event.key - 1];
      if (key) key.click();
      event.preventDefault();
    });
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "已复制";
  });
  // A double click must not send a form twice.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    else if (event.target.method === "post") event.target.dataset.sent = "1";
  });
})();
