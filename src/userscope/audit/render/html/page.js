"use strict";
// The page is whole without this: links open what stands behind a tile. Here are the keys, the search and the theme.
const root = document.documentElement;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const rows = all("#picture tbody tr[data-name]");
const tiles = () => all("#picture a.tile").filter((tile) => tile.offsetParent);

const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
});

// One tile is reached by Tab, the others by arrows: a picture is one thing to go past.
function only(tile) {
    for (const other of all("#picture a.tile")) other.tabIndex = other === tile ? 0 : -1;
}

function beside(tile, key) {
    const here = tile.getBoundingClientRect();
    const inRow = tiles().filter((other) => other.closest("tr") === tile.closest("tr"));
    if (key === "Home") return inRow[0];
    if (key === "End") return inRow.at(-1);
    const level = key === "ArrowLeft" || key === "ArrowRight";
    const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    let best = null;
    for (const other of tiles()) {
        const there = other.getBoundingClientRect();
        const [along, across] = level
            ? [(there.x - here.x) * sign, Math.abs(there.y - here.y)]
            : [(there.y - here.y) * sign, Math.abs(there.x - here.x)];
        if (along < 2 || (level && across > 2)) continue;
        const far = along + across * 0.01 + (level ? 0 : across * 0.001);
        if (!best || far < best.far) best = { far, other };
    }
    return best?.other;
}

document.getElementById("picture").addEventListener("keydown", (event) => {
    const tile = event.target.closest("a.tile");
    if (!tile || !/^(Arrow|Home|End)/.test(event.key)) return;
    event.preventDefault();
    const next = beside(tile, event.key);
    if (!next) return;
    only(next);
    next.focus();
    if (location.hash.startsWith("#d-")) open(`d-${next.id}`, next);
});

// What is shown is the target of the address, so that a link leads to it and Back leads back; focus follows.
let opener = null;
function open(id, from) {
    opener = from;
    location.replace(`#${id}`);
}
function close() {
    const shown = location.hash.slice(3);
    const back = opener?.isConnected ? opener : document.getElementById(shown);
    location.hash = "-";
    (back?.matches?.("a") ? back : back?.querySelector("a"))?.focus({ preventScroll: true });
}
function mark() {
    for (const tile of all(".tile.shown")) tile.classList.remove("shown");
    const tile = location.hash.startsWith("#d-t") && document.getElementById(location.hash.slice(3));
    if (tile) {
        tile.classList.add("shown");
        only(tile);
    }
}
addEventListener("hashchange", mark);
document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    if (link.matches(".close")) {
        event.preventDefault();
        close();
    } else if (link.getAttribute("href").startsWith("#d-")) {
        opener = link;
        setTimeout(() => document.querySelector("#details :target")?.focus({ preventScroll: true }));
    } else if (link.matches(".there")) {
        setTimeout(() => document.getElementById(link.hash.slice(1))?.focus?.({ preventScroll: true }));
    }
});
document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && location.hash.startsWith("#d-")) close();
});

const filters = document.getElementById("filters");
const search = document.getElementById("search");
const show = document.getElementById("show");
const shown = document.getElementById("shown");
function filter() {
    const part = search.value.trim().toLowerCase();
    for (const row of rows) {
        const state = row.dataset.state.split(" ");
        row.hidden = !row.dataset.name.includes(part) || (show.value !== "" && !state.includes(show.value));
    }
    for (const body of all("#picture tbody")) {
        body.hidden = all("tr[data-name]", body).every((row) => row.hidden);
    }
    const left = rows.filter((row) => !row.hidden).length;
    shown.textContent = left === rows.length ? "" : `${left} of ${rows.length} tables`;
    only(tiles()[0]);
}
if (rows.length > 0) {
    filters.hidden = false;
    filters.addEventListener("input", filter);
    filters.addEventListener("submit", (event) => event.preventDefault());
    filter();
}
mark();
