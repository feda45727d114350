"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const LIST_LIMIT = 1000;
const MOST_SHEETS = 2000;
const WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const number = (n) => n.toLocaleString("en");
const plural = (n, one, many = one + "s") => `${number(n)} ${n === 1 ? one : many}`;

// Text always goes through textContent: nothing from the data is parsed as HTML.
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "hue") node.style.setProperty("--h", value);
    else if (value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

// What a page's own script defines: KINDS, by key the things whose weeks are there, each with its
// label, what one is called, the names, and for each its size, whether it has violations, and
// where that is another number than the size, the one that the list shows (badge);
// FIRST_KIND, shown first; about(kind, index), in words; boardOf(kind, index), a week as printed;
// and drawWeek(), which draws the chosen one.
let kind = "";
let chosen = 0;

function drawTabs() {
  const tabs = byId("tabs");
  const focused = tabs.contains(document.activeElement);
  tabs.replaceChildren(...Object.entries(KINDS).map(([key, value]) => {
    const tab = element("button", { role: "tab", "aria-selected": String(key === kind),
      tabindex: key === kind ? "0" : "-1", "data-kind": key,
      onclick: () => choose(key, firstTaken(key)) }, value.label);
    tab.disabled = value.names.length === 0;
    return tab;
  }));
  if (focused) tabs.querySelector('[aria-selected="true"]').focus();
}

// One stop for the Tab key: within a row of things the arrow keys move.
function rove(container, items, event, keys) {
  const all = [...container.querySelectorAll(items)];
  const at = all.indexOf(document.activeElement);
  const to = { [keys[0]]: at - 1, [keys[1]]: at + 1, Home: 0, End: all.length - 1,
    PageUp: Math.max(0, at - 10), PageDown: Math.min(all.length - 1, at + 10) }[event.key];
  if (at < 0 || to === undefined || !all[to]) return null;
  event.preventDefault();
  event.stopPropagation();
  for (const item of all) item.tabIndex = -1;
  all[to].tabIndex = 0;
  all[to].focus();
  return all[to];
}

function drawList() {
  const { names, size, clash, one, badge = size } = KINDS[kind];
  const wanted = byId("search").value.trim().toLowerCase();
  const found = names.map((_, i) => i).filter((i) => names[i].toLowerCase().includes(wanted));
  // Who types an id means that one, however many others hold it.
  const exact = found.findIndex((i) => names[i].toLowerCase() === wanted);
  if (exact > 0) found.unshift(...found.splice(exact, 1));
  const shown = found.slice(0, LIST_LIMIT);
  const stop = shown.includes(chosen) ? chosen : shown[0];
  const rows = shown.map((i) => {
    const wrong = clash(i);
    return element("button", { class: wrong ? "clash" : "", "aria-current": String(i === chosen),
      "data-index": i, tabindex: i === stop ? "0" : "-1",
      title: wrong ? "has violations" : "", onclick: () => choose(kind, i) },
      element("span", { class: "id" }, names[i]), element("span", { class: "n" }, number(badge(i))));
  });
  if (found.length > LIST_LIMIT) {
    rows.push(element("p", { class: "more" }, `and ${number(found.length - LIST_LIMIT)} more: search to see them`));
  }
  if (!found.length) rows.push(element("p", { class: "more" }, "Nothing of that name."));
  const list = byId("list");
  const focused = list.contains(document.activeElement);
  list.replaceChildren(...rows);
  const current = list.querySelector('[aria-current="true"]');
  if (focused) (current ?? list.querySelector("button"))?.focus({ preventScroll: true });
  const above = current && current.offsetTop < list.scrollTop;
  const below = current && current.offsetTop + current.offsetHeight > list.scrollTop + list.clientHeight;
  if (above || below) list.scrollTop = current.offsetTop - list.clientHeight / 2;
  byId("search").placeholder = `Search ${plural(names.length, one.toLowerCase(), KINDS[kind].label.toLowerCase())}`;
}

const titleOf = (kind, index) => `${KINDS[kind].one} ${KINDS[kind].names[index]}`;

function drawBoard() {
  byId("chosen").textContent = titleOf(kind, chosen);
  byId("about").replaceChildren(about(kind, chosen));
  byId("previous").disabled = chosen === 0;
  byId("next").disabled = chosen === KINDS[kind].names.length - 1;
  drawWeek();
}

function firstTaken(kind) {
  return Math.max(0, KINDS[kind].names.findIndex((_, i) => KINDS[kind].size(i) > 0));
}

const taken = (key) => KINDS[key].names.map((_, i) => i).filter((i) => KINDS[key].size(i) > 0);

function drawPrintChoices() {
  const all = Object.keys(KINDS).map((key) => [key, taken(key).length])
    .filter(([, count]) => count > 0 && count <= MOST_SHEETS);
  byId("print-what").replaceChildren(
    element("option", { value: "" }, "this week"),
    ...all.map(([key, count]) => element("option", { value: key },
      `every ${KINDS[key].one.toLowerCase()}, ${plural(count, "sheet")}`)),
    element("option", { value: all.map(([key]) => key).join(" ") },
      `all of these, ${plural(all.reduce((sum, [, count]) => sum + count, 0), "sheet")}`));
}

// What is printed beside the page itself: a sheet for every week of a kind, made when asked for.
function drawSheets() {
  const what = byId("print-what").value;
  document.body.classList.toggle("sheets", what !== "");
  const sheet = (key, i) => element("section", {}, element("div", { class: "board-head" },
    element("div", { class: "what" }, element("h2", {}, titleOf(key, i)),
      element("p", { class: "sub" }, about(key, i)))), boardOf(key, i));
  byId("sheets").replaceChildren(...what.split(" ").filter(Boolean).flatMap((key) =>
    taken(key).map((i) => sheet(key, i))));
}

function choose(newKind, index) {
  if (newKind !== kind) byId("search").value = "";
  kind = newKind;
  chosen = index;
  history.replaceState(null, "", `#${kind}=${encodeURIComponent(KINDS[kind].names[chosen])}`);
  drawTabs();
  drawList();
  drawBoard();
}

function chooseFromAddress() {
  const [wantedKind, ...rest] = location.hash.slice(1).split("=");
  let name = "";
  try { name = decodeURIComponent(rest.join("=")); } catch { /* a hand-made address */ }
  const index = Object.hasOwn(KINDS, wantedKind) ? KINDS[wantedKind].names.indexOf(name) : -1;
  if (index >= 0) choose(wantedKind, index);
  else choose(FIRST_KIND, firstTaken(FIRST_KIND));
}

byId("print").addEventListener("click", () => print());
addEventListener("beforeprint", drawSheets);
addEventListener("afterprint", () => {
  document.body.classList.remove("sheets");
  byId("sheets").replaceChildren();
});
byId("search").addEventListener("input", drawList);
byId("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") byId("list").querySelector("button")?.click();
});
byId("list").addEventListener("keydown", (event) => {
  rove(byId("list"), "button", event, ["ArrowUp", "ArrowDown"]);
});
byId("tabs").addEventListener("keydown", (event) => {
  rove(byId("tabs"), "button:enabled", event, ["ArrowLeft", "ArrowRight"])?.click();
});
byId("previous").addEventListener("click", () => choose(kind, chosen - 1));
byId("next").addEventListener("click", () => choose(kind, chosen + 1));
addEventListener("hashchange", chooseFromAddress);
document.querySelector(".skip").addEventListener("click", (event) => {
  // Not by the address, which names the week that is shown.
  event.preventDefault();
  byId("week").focus();
});
addEventListener("keydown", (event) => {
  if (event.target.closest?.("input, select") || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowLeft" && !byId("previous").disabled) choose(kind, chosen - 1);
  if (event.key === "ArrowRight" && !byId("next").disabled) choose(kind, chosen + 1);
});
