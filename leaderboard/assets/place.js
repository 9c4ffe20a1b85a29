"use strict";
// What a reader does in place: cards of columns, copies of tables and commands, and the page's state in its address.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The card of a column's head or of a title on a chart, on hover, focus and tap; Escape or anything else hides it.
  let shown = null;
  const hide = () => { if (shown) shown.hidden = true; shown = null; };
  const show = (button) => {
    const card = document.getElementById(button.getAttribute("aria-describedby"));
    if (!card || card === shown) return;
    hide();
    shown = card;
    card.hidden = false;
    beside(button, card);
  };
  const beside = (button, card) => {
    const at = button.getBoundingClientRect();
    const size = card.getBoundingClientRect();
    const below = at.bottom + 6 + size.height <= innerHeight;
    card.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
    card.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - size.height - 6)}px`;
  };
  for (const button of all("thead button[aria-describedby], button.word")) {
    for (const kind of ["pointerenter", "focus", "click"]) button.addEventListener(kind, () => show(button));
    button.addEventListener("blur", hide);
    button.addEventListener("pointerleave", (event) => { if (!shown?.contains(event.relatedTarget)) hide(); });
  }
  for (const card of all(".card")) card.addEventListener("pointerleave", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  // A head that has the focus keeps its card: tabbing to it scrolls the page.
  addEventListener("scroll", () => {
    if (shown && document.activeElement?.getAttribute("aria-describedby") === shown.id) beside(document.activeElement, shown);
    else hide();
  }, { passive: true });

  // Copies go through the clipboard where the page may use it, else through a selection.
  const copied = async (text, button) => {
    const before = button.textContent;
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch {
      const field = document.createElement("textarea");
      field.value = text;
      button.after(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
    }
    button.textContent = done ? "copied" : "not allowed";
    setTimeout(() => { button.textContent = before; }, 1200);
  };
  for (const command of all(".command")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "copy", textContent: "copy" });
    button.setAttribute("aria-label", `Copy ${command.textContent.trim()}`);
    button.addEventListener("click", () => copied(command.querySelector("code").textContent, button));
    command.append(" ", button);
  }

  // The rows and columns that are shown, numbers as they are printed, with all that says what they may be compared with:
  // the rows' marks and kinds, which way is better, and of how many seeds a number is.
  const contents = (table) => {
    const heads = all("thead th:not([scope=colgroup])", table);
    const columns = [...heads.filter((head) => head.rowSpan === 2), ...heads.filter((head) => head.rowSpan !== 2)];
    const kept = columns.map((head, place) => [head, place]).filter(([head]) => !head.hidden);
    const joined = (...parts) => parts.filter(Boolean).join(" ").replace(/\s+/g, " ").trim();
    const words = (cell) => {
      const small = all("small", cell).map((one) => one.textContent).join(", ");
      const main = cell.querySelector("a")?.textContent ?? cell.textContent;
      return joined(main, cell.querySelector("i")?.textContent, small && `(${small})`);
    };
    const title = (head) => joined((head.querySelector(".title") ?? head).textContent, head.querySelector(".arrow")?.textContent);
    const shown = (body) => [...body.rows].filter((row) => !row.hidden && !row.classList.contains("body-name"));
    const bodies = [...table.tBodies].map((body) => ({
      kind: body.className,
      name: joined(body.querySelector(".body-name")?.textContent),
      rows: shown(body).map((row) => kept.map(([, place]) => words(row.cells[place]))),
    }));
    return { head: kept.map(([head]) => title(head)), bodies: bodies.filter(({ rows }) => rows.length) };
  };
  // What a spreadsheet would run gets an apostrophe, as in the tables on disk.
  const plain = (text) => (/^[=+@]|^-[^\d.]/.test(text) ? `'${text}` : text);
  const quoted = (text) => (/[",\n]/.test(text) ? `"${plain(text).replaceAll('"', '""')}"` : plain(text));
  const special = {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$", "−": "$-$",
    "≈": "$\\approx$", "∞": "$\\infty$", "α": "$\\alpha$", "β": "$\\beta$", "γ": "$\\gamma$", "δ": "$\\delta$",
    "ε": "$\\epsilon$", "λ": "$\\lambda$", "σ": "$\\sigma$", "τ": "$\\tau$", "↑": "$\\uparrow$", "↓": "$\\downarrow$",
  };
  const tex = (text) => text.replace(/[\\~^±−≈∞αβγδελστ↑↓_%&#{}$]/g, (one) => special[one] ?? `\\${one}`);
  const texLine = (line) => `${line.map(tex).join(" & ")} \\\\`;
  const written = {
    // A spreadsheet sorts and filters rows: their kind stands in a column, by its name in the tables on disk.
    csv: ({ head, bodies }) => [[head[0], "kind", ...head.slice(1)],
      ...bodies.flatMap(({ kind, rows }) => rows.map(([name, ...numbers]) => [name, kind, ...numbers]))]
      .map((line) => line.map(quoted).join(",")).join("\n") + "\n",
    markdown: ({ head, bodies }) => [head, head.map(() => "---"), ...bodies.flatMap(({ name, rows }) => [
      ...(name ? [[`*${name}*`, ...head.slice(1).map(() => "")]] : []), ...rows])]
      .map((line) => `| ${line.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`).join("\n") + "\n",
    latex: ({ head, bodies }) => [`\\begin{tabular}{l${"r".repeat(head.length - 1)}}`, "\\hline", texLine(head),
      ...bodies.flatMap(({ name, rows }) => ["\\hline",
        ...(name ? [`\\multicolumn{${head.length}}{l}{\\emph{${tex(name)}}} \\\\`] : []), ...rows.map(texLine)]),
      "\\hline", "\\end{tabular}"].join("\n") + "\n",
  };
  for (const part of all(".board-part")) {
    const table = part.querySelector("table");
    for (const button of all("[data-copy]", part)) {
      button.addEventListener("click", () => copied(written[button.dataset.copy](contents(table)), button));
    }
    const link = part.querySelector("[data-download]");
    link.addEventListener("click", () => {
      link.href = `data:text/csv;charset=utf-8,${encodeURIComponent(written.csv(contents(table)))}`;
      setTimeout(() => { link.href = `#${table.id}`; });
    });
    part.querySelector("[data-all-rows]").addEventListener("click", () => {
      for (const field of all("[data-filter]", part)) {
        field.value = field.tagName === "SELECT" ? field.options[0].value : "";
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
  }

  // Sort, filters and columns of every table stand in the address behind "#?", with the run that was opened last.
  let restoring = true;
  let run = "";
  const state = () => {
    const found = new URLSearchParams();
    for (const part of all(".board-part")) {
      const { id } = part.querySelector("table");
      for (const field of all("[data-filter]", part)) {
        const first = field.tagName === "SELECT" ? field.options[0].value : "";
        if (field.value !== first) found.set(`${id}.${field.dataset.filter}`, field.value);
      }
      const boxes = all("[data-column]", part);
      if (boxes.some((box) => box.checked !== "first" in box.dataset)) {
        found.set(`${id}.columns`, boxes.filter((box) => box.checked).map((box) => box.dataset.column).join("."));
      }
      if (part.dataset.sorted) found.set(`${id}.sort`, part.dataset.sorted);
    }
    if (run) found.set("run", run);
    return found;
  };
  const keep = () => {
    if (restoring) return;
    const found = state();
    const alone = found.size === (run ? 1 : 0);
    const hash = alone ? (run && `#${run}`) : `#?${found}`;
    history.replaceState(null, "", hash || location.pathname + location.search);
  };
  const sorters = (part) => all("thead button", part);
  const restore = () => {
    restoring = true;
    const given = new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(2) : "");
    for (const part of all(".board-part")) {
      const { id } = part.querySelector("table");
      for (const field of all("[data-filter]", part)) {
        const value = given.get(`${id}.${field.dataset.filter}`);
        if (value === null) continue;
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
      const columns = given.get(`${id}.columns`)?.split(".");
      if (columns) for (const box of all("[data-column]", part)) {
        if (box.checked === columns.includes(box.dataset.column)) continue;
        box.checked = !box.checked;
        box.dispatchEvent(new Event("change", { bubbles: true }));
      }
      const [place, order] = given.get(`${id}.sort`)?.split(".") ?? [];
      const button = sorters(part)[Number(place)];
      const head = button?.closest("th");
      for (let press = 0; head && press < 2 && head.getAttribute("aria-sort") !== order; press++) button.click();
    }
    hide();
    restoring = false;
    const opened = document.getElementById(given.get("run") ?? "");
    for (let part = opened; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    opened?.scrollIntoView();
    run = opened ? opened.id : "";
  };
  for (const part of all(".board-part")) {
    sorters(part).forEach((button, place) => button.addEventListener("click", () => {
      part.dataset.sorted = `${place}.${button.closest("th").getAttribute("aria-sort")}`;
      keep();
    }));
    for (const kind of ["input", "change", "click"]) part.addEventListener(kind, keep);
  }
  document.addEventListener("click", (event) => {
    const target = event.target.closest("a[href^='#']")?.hash.slice(1) ?? "";
    if (/^(run|seed)-/.test(target)) run = target;
  });
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#?")) restore();
    else if (run && location.hash === `#${run}` && state().size > 1) keep();
  });
  restore();
})();
