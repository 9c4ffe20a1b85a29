// Sorts a leaderboard by a column, trained rows and references each among themselves; rows without a number stay last.
for (const table of document.querySelectorAll("table.board")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const best = head.querySelector("button").dataset.direction === "higher" || column === 1 ? "descending" : "ascending";
    const other = best === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === best ? other : best;
    heads.forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const value = (row) => row.cells[column].dataset.value;
    for (const body of table.tBodies) {
      body.append(...[...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        return sign * (column === 0 ? x.localeCompare(y, undefined, { numeric: true }) : x - y);
      }));
    }
  }));
}
