// SPDX-License-Identifier: Apache-2.0
// Filters the index of the site by words. Everything it finds also stands on the pages from A to Z.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const finder = document.querySelector(".finder");
  const index = window.tidegateIndex;
  if (!finder || !index) return;
  const field = finder.querySelector("input");
  const status = finder.querySelector("[role=status]");
  const list = finder.querySelector("ul");
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const titles = index.map(([title, kind]) => ` ${plain(`${title} ${kind}`).replace(/[^\p{L}\p{N}]+/gu, " ")}`);
  const shown = 60;
  const matches = (words, start) => (_, place) => words.every((word) => titles[place].includes(start + word));
  const find = () => {
    const words = plain(field.value).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    const within = words.length ? index.filter(matches(words, "")) : [];
    const begun = new Set(words.length ? index.filter(matches(words, " ")) : []);
    const found = [...begun, ...within.filter((one) => !begun.has(one))];
    list.replaceChildren(
      ...found.slice(0, shown).map(([title, kind, href]) => {
        const row = document.createElement("li");
        const link = document.createElement("a");
        const small = document.createElement("small");
        link.href = finder.dataset.root + href;
        link.textContent = title;
        small.textContent = kind;
        row.append(link, small);
        return row;
      }),
    );
    status.textContent = !words.length ? "" : found.length ? `${status.dataset.some} ${found.length}` : status.dataset.none;
  };
  finder.hidden = false;
  field.addEventListener("input", find);
  find();
});
