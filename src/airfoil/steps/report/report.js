// Sorts and searches tables, and brings in rows beyond the first ones. The server rendered and escaped every row; rows
// beyond the first ones wait compressed and become elements when they are looked at. Nothing here talks to anybody.
"use strict";

for (const table of document.querySelectorAll("table.sortable")) {
  const STEP = 200;
  const FEW = 12; // shorter tables need no search
  const heads = [...table.tHead.rows[0].cells];
  const total = Number(table.dataset.total);
  const first = table.tBodies.length;
  const collator = new Intl.Collator(undefined, { numeric: true });
  let rows = null;
  let shown = first;
  let words = "";
  let order = { column: -1, down: false };

  // -- rows --------------------------------------------------------------------------------------------------

  async function load() {
    const found = [...table.tBodies].map((node) => ({ keys: JSON.parse(node.dataset.keys), node }));
    const rest = document.getElementById(`${table.id}-rest`);
    if (rest) for (const [keys, html] of await unpack(rest.textContent)) found.push({ keys, html });
    for (const row of found) row.text = row.keys.filter((key) => typeof key === "string").join(" ").toLowerCase();
    return found;
  }

  function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
  }

  function element(row) {
    if (!row.node) {
      const made = document.createElement("table");
      made.innerHTML = row.html;
      row.node = made.tBodies[0];
    }
    return row.node;
  }

  function compare(a, b) {
    const left = a.keys[order.column];
    const right = b.keys[order.column];
    if (left === null || right === null) return (left === null) - (right === null); // nothing comes last
    const found = typeof left === "number" && typeof right === "number" ? left - right : collator.compare(left, right);
    return order.down ? -found : found;
  }

  async function draw() {
    rows ??= load(); // once, also when somebody types faster than it loads
    let wanted = await rows;
    if (words) wanted = wanted.filter((row) => words.split(/\s+/).every((word) => row.text.includes(word)));
    if (order.column >= 0) wanted = [...wanted].sort(compare);
    const visible = wanted.slice(0, shown).map(element);
    for (const body of [...table.tBodies]) body.remove();
    table.append(...visible);
    said.textContent =
      visible.length < wanted.length || words
        ? `${visible.length.toLocaleString()} of ${wanted.length.toLocaleString()} rows${words ? " found" : ""}.`
        : "";
    more.hidden = visible.length >= wanted.length;
    paragraph.hidden = more.hidden && !said.textContent;
  }

  // -- more rows ---------------------------------------------------------------------------------------------

  let paragraph = table.nextElementSibling;
  if (!paragraph?.classList.contains("rest")) {
    paragraph = document.createElement("p");
    paragraph.className = "rest muted";
    paragraph.hidden = true;
    table.after(paragraph);
  }
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.textContent = paragraph.firstChild?.textContent ?? "";
  const more = document.createElement("button");
  more.type = "button";
  more.textContent = `Show ${STEP} more`;
  more.hidden = first >= total;
  more.addEventListener("click", () => {
    shown += STEP;
    draw();
  });
  paragraph.replaceChildren(said, more);

  // -- sorting -----------------------------------------------------------------------------------------------

  function sort(column, down) {
    order = { column, down };
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    draw();
  }

  const choice = document.createElement("select");
  choice.append(new Option("As judged", ""));
  heads.forEach((head, column) => {
    const kind = head.dataset.sort;
    if (!kind || total < 2) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const again = order.column === column;
      sort(column, again ? !order.down : kind === "number");
      choice.value = "";
    });
    choice.append(new Option(button.textContent, String(column)));
  });
  choice.addEventListener("change", () => {
    const column = choice.value === "" ? -1 : Number(choice.value);
    sort(column, column >= 0 && heads[column].dataset.sort === "number");
  });

  // -- search ------------------------------------------------------------------------------------------------

  if (total > FEW) {
    const tools = document.createElement("div");
    tools.className = "tools";
    const search = document.createElement("input");
    search.type = "search";
    search.placeholder = `Search ${total.toLocaleString()} rows`;
    search.setAttribute("aria-label", `Search: ${table.caption.textContent}`);
    search.addEventListener("input", () => {
      words = search.value.trim().toLowerCase();
      shown = Math.max(first, STEP);
      draw();
    });
    const label = document.createElement("label");
    label.append("Sort by ", choice);
    tools.append(search, label);
    table.before(tools);
  }
}
