// A click on the head of a column sorts by it; a second one turns the order round.

const value = (cell) => {
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (text === "") return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
};

const compare = (a, b) =>
  typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });

const sort = (head) => {
  const heads = [...head.parentElement.children];
  const column = heads.indexOf(head);
  const before = head.getAttribute("aria-sort");
  const first = head.classList.contains("number") ? "descending" : "ascending";
  const second = first === "descending" ? "ascending" : "descending";
  const order = before === first ? second : first;
  heads.forEach((other) => other.setAttribute("aria-sort", other === head ? order : "none"));
  for (const body of head.closest("table").tBodies) { // baselines stay apart
    const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null); // what is unknown comes last
      return order === "ascending" ? compare(a, b) : compare(b, a);
    });
    body.append(...rows.map(([, row]) => row));
  }
};

for (const button of document.querySelectorAll(".sortable thead button"))
  button.addEventListener("click", () => sort(button.closest("th")));

document.getElementById("theme").addEventListener("click", switchTheme);
