"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Sorts a leaderboard by a column, each of its bodies among itself; rows without a number stay last.
  const sortable = (table) => {
    const heads = all("thead th:not([scope=colgroup])", table);
    const fixed = heads.filter((head) => head.rowSpan === 2);
    const columns = [...fixed, ...heads.filter((head) => head.rowSpan !== 2)];
    columns.forEach((head, place) => head.querySelector("button")?.addEventListener("click", (event) => {
      const { direction, sort } = event.currentTarget.dataset;
      const best = direction === "higher" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === best ? (best === "ascending" ? "descending" : "ascending") : best;
      columns.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const value = (row) => row.cells[place].dataset.value;
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => !row.classList.contains("body-name"));
        body.append(...rows.sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          if (x === "" || y === "") return (x === "") - (y === "");
          return sign * (sort === "text" ? x.localeCompare(y, undefined, { numeric: true }) : x - y);
        }));
      }
      const by = table.querySelector(".rank .by");
      if (by && head.querySelector(".title") && rankedIn(table, place)) {
        by.textContent = head.querySelector(".title").textContent;
        for (const cell of all("td.rank", table)) cell.textContent = cell.parentNode.cells[place].dataset.rank || "";
      }
    }));
  };
  const rankedIn = (table, place) => all("tbody tr", table).some((row) => row.cells[place]?.dataset.rank);

  // Hides rows that do not fit the filters, and says how many are left.
  const filtered = (tools, table, state) => {
    const fields = Object.fromEntries(all("[data-filter]", tools).map((field) => [field.dataset.filter, field]));
    const value = (name) => fields[name]?.value || "";
    const fits = (row, body) => {
      const text = row.cells[0].textContent.toLowerCase();
      const seeds = Number(row.cells[table.querySelector("th.rank") ? 2 : 1].dataset.value);
      const kind = value("kind");
      return value("text").toLowerCase().split(/\s+/).every((word) => text.includes(word))
        && (!value("model") || row.dataset.model === value("model"))
        && seeds >= Number(value("seeds"))
        && (kind !== "no-references" || !body.classList.contains("references"))
        && (kind !== "unmarked" || !row.dataset.marks)
        && (!kind.startsWith("mark:") || row.dataset.marks.split("|").includes(kind.slice(5)));
    };
    const apply = () => {
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => !row.classList.contains("body-name"));
        for (const row of rows) row.hidden = !fits(row, body);
        body.hidden = rows.every((row) => row.hidden);
      }
      state();
    };
    for (const field of Object.values(fields)) field.addEventListener("input", apply);
  };

  // Shows and hides columns; the heads of groups grow and shrink with them.
  const chosen = (tools, table, state) => {
    const boxes = all("[data-column]", tools);
    const heads = all("thead tr:last-child th", table);
    const fixed = boxes.length ? Math.min(...boxes.map((box) => Number(box.dataset.column))) : 0;
    const apply = () => {
      for (const box of boxes) {
        const place = Number(box.dataset.column);
        const head = heads[place - fixed];
        if (head.hidden !== box.checked) continue;
        head.hidden = !box.checked;
        for (const row of all("tbody tr:not(.body-name)", table)) row.cells[place].hidden = !box.checked;
      }
      for (const head of all("th[scope=colgroup]", table)) {
        const shown = heads.filter((one) => one.dataset.group === head.dataset.group && !one.hidden).length;
        head.hidden = shown === 0;
        head.colSpan = shown || 1;
      }
      for (const whole of all("[data-columns-of]", tools)) {
        const own = boxes.filter((box) => box.dataset.of === whole.dataset.columnsOf);
        whole.checked = own.every((box) => box.checked);
        whole.indeterminate = !whole.checked && own.some((box) => box.checked);
      }
      tools.querySelector(".count").textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length}`;
      state();
    };
    const set = (of, to) => { for (const box of of) box.checked = to(box); apply(); };
    for (const box of boxes) box.addEventListener("change", apply);
    for (const whole of all("[data-columns-of]", tools)) {
      whole.addEventListener("change", () => set(boxes.filter((box) => box.dataset.of === whole.dataset.columnsOf), () => whole.checked));
    }
    for (const button of all("[data-columns]", tools)) {
      button.addEventListener("click", () => set(boxes, (box) => button.dataset.columns === "all" || "first" in box.dataset));
    }
    for (const menu of all(".menu", tools)) {
      menu.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        menu.open = false;
        menu.querySelector("summary").focus();
      });
      document.addEventListener("click", (event) => { if (menu.open && !menu.contains(event.target)) menu.open = false; });
    }
    apply();
  };

  // Arrow keys go from a row's name to its numbers and on, up and down as well.
  const walked = (table) => table.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    let cell = event.target.closest("tbody th, tbody td");
    if (!step || !cell) return;
    event.preventDefault();
    const rows = all("tbody tr:not(.body-name)", table).filter((row) => !row.hidden && !row.parentNode.hidden);
    let [y, x] = [rows.indexOf(cell.parentNode), cell.cellIndex];
    while (true) {
      [y, x] = [y + step[0], x + step[1]];
      cell = rows[y]?.cells[x];
      if (!cell) return;
      const link = cell.hidden ? null : cell.querySelector("a");
      if (link) return link.focus();
    }
  });

  // A number opens the values of its seeds, each with a link to its run.
  const dialog = document.getElementById("values");
  const opened = (table) => table.addEventListener("click", (event) => {
    const link = event.target.closest("td a");
    const source = link && document.getElementById(link.hash.slice(1));
    if (!source || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const [name, ...cells] = source.cells;
    const label = link.closest("tr").cells[0].querySelector("a").textContent;
    dialog.querySelector("h2").textContent = `${label}: ${name.textContent}`;
    const body = dialog.querySelector(".body");
    const line = (text, of = "p") => { const one = document.createElement(of); one.textContent = text; return one; };
    const list = document.createElement("dl");
    const seeds = [...source.closest("table").tHead.rows[0].cells].slice(1, -2);
    seeds.forEach((head, place) => {
      const entry = document.createElement("div");
      const term = document.createElement("dt");
      term.append(head.querySelector("a").cloneNode(true));
      entry.append(term, line(cells[place].textContent, "dd"));
      list.append(entry);
    });
    const rank = cells.at(-1);
    const rest = link.parentNode.querySelector("i");
    body.replaceChildren(line(`${link.textContent} ${rest ? rest.textContent : ""}`), list);
    if (rank.textContent.trim()) body.append(line(`Rank ${rank.textContent}`));
    if (rank.title) body.append(line(rank.title));
    const protocol = document.createElement("p");
    protocol.append(line(name.title, "code"));
    body.append(protocol);
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });

  // Whatever a link leads to is brought out of closed parts.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  // On paper every chart and table over the whole is there.
  const closed = [];
  addEventListener("beforeprint", () => {
    closed.push(...all("details.printed:not([open])"));
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of closed.splice(0)) part.open = false; });

  for (const part of all(".board-part")) {
    const [tools, table] = [part.querySelector(".tools"), part.querySelector("table")];
    const state = () => {
      const rows = all("tbody tr:not(.body-name)", table);
      const left = rows.filter((row) => !row.hidden).length;
      part.querySelector(".nothing").hidden = left > 0;
      tools.querySelector(".state").textContent = left === rows.length ? "" : `${left} of ${rows.length} rows`;
    };
    sortable(table);
    filtered(tools, table, state);
    chosen(tools, table, state);
    walked(table);
    opened(table);
  }
})();
