"use strict";
// Makes the page handier; without it, everything is there and can be reached all the same.
(() => {
  const $ = (s) => [...document.querySelectorAll(s)];
  const chart = document.querySelector("#chart"), told = document.querySelector("#told");
  const filter = document.querySelector("#filter"), count = document.querySelector("#count");
  document.querySelector("#tools").hidden = false;
  const rows = $(".row"), items = $(".row .item");
  // One tab stop for the chart; the arrow keys go from item to item and from row to row.
  items.forEach((item, n) => item.setAttribute("tabindex", n ? "-1" : "0"));
  const words = (item) => [...item.querySelectorAll("title, desc")].map((e) => e.textContent);
  const show = (item) => {
    const row = item.closest(".row");
    told.textContent = [row.getAttribute("aria-label"), ...words(item)].join(" – ");
  };
  const go = (item) => {
    if (!item) return;
    items.forEach((other) => other.setAttribute("tabindex", other === item ? "0" : "-1"));
    item.focus();
  };
  chart.addEventListener("focusin", (e) => {
    const item = e.target.closest(".item");
    if (item) show(item);
  });
  chart.addEventListener("mouseover", (e) => {
    const item = e.target.closest(".item");
    if (item) show(item);
  });
  chart.addEventListener("keydown", (e) => {
    const item = e.target.closest(".item");
    if (!item) return;
    const shown = rows.filter((row) => !row.hasAttribute("hidden"));
    const row = item.closest(".row"), here = [...row.querySelectorAll(".item")];
    const at = here.indexOf(item), line = shown.indexOf(row);
    const beside = (other) => {
      const all = other ? [...other.querySelectorAll(".item")] : [];
      return all[Math.min(at, all.length - 1)];
    };
    const next = {
      ArrowRight: here[at + 1], ArrowLeft: here[at - 1], Home: here[0], End: here.at(-1),
      ArrowDown: beside(shown[line + 1]), ArrowUp: beside(shown[line - 1]),
    };
    if (!(e.key in next)) return;
    e.preventDefault();
    go(next[e.key]);
  });
  // The filter closes the gaps that hidden rows leave.
  const heights = Number(chart.dataset.row), heading = Number(chart.dataset.heading);
  const names = new Map($(".name").map((name) => [name.dataset.row, name]));
  const drawn = new Map(rows.map((row) => [row.dataset.row, row]));
  const parts = new Map($(".part").map((part) => [part.dataset.row, part]));
  const apply = () => {
    const asked = filter.value.trim().toLowerCase();
    let y = 0, left = 0, group = null, members = 0;
    const close = () => {
      if (!group) return;
      group.hidden = !members;
      document.querySelector(`[data-band="${group.dataset.heading}"]`).toggleAttribute("hidden", !members);
      if (!members) y -= heading;
    };
    for (const entry of $(".names > *")) {
      if (entry.dataset.heading !== undefined) {
        close();
        [group, members] = [entry, 0];
        document.querySelector(`[data-band="${entry.dataset.heading}"]`).setAttribute("transform", `translate(0 ${y})`);
        y += heading;
        continue;
      }
      const key = entry.dataset.row, fits = entry.dataset.words.toLowerCase().includes(asked);
      entry.hidden = !fits;
      parts.get(key).hidden = !fits;
      drawn.get(key).toggleAttribute("hidden", !fits);
      if (!fits) continue;
      drawn.get(key).setAttribute("transform", `translate(0 ${y})`);
      y += heights; left += 1; members += 1;
    }
    close();
    for (const arrow of $(".arrow")) arrow.toggleAttribute("hidden", asked !== "");
    document.querySelector("#body").setAttribute("height", Math.max(y, 1));
    count.textContent = asked ? `${left} of ${rows.length} products` : "";
    const first = items.find((item) => !item.closest(".row").hasAttribute("hidden"));
    items.forEach((item) => item.setAttribute("tabindex", item === first ? "0" : "-1"));
  };
  filter.addEventListener("input", apply);
  // Zoomed, today stays in sight.
  const today = document.querySelector("#body .today");
  for (const zoom of $("input[name=zoom]")) zoom.addEventListener("change", () => {
    const at = today.getBoundingClientRect().left - document.querySelector("#body").getBoundingClientRect().left;
    chart.scrollLeft = Math.max(at - chart.clientWidth / 2, 0);
  });
})();
