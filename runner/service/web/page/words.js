// Numbers as people read them, the same as in a terminal.

export function percent(part) {
  return `${(Math.floor((part || 0) * 1000 + 1e-9) / 10).toFixed(1)} %`;
}

export function number(value) {
  return value === null || value === undefined ? "–" : value.toLocaleString("en");
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 60) return `${Math.round(value)} s`;
  const minutes = Math.floor(value / 60), rest = String(Math.round(value) % 60).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${rest} min`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")} h`;
}

export function element(kind, text = "", attributes = {}) {
  const made = document.createElement(kind);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function fill(bar, part) {
  const value = Math.min(1, Math.max(0, part || 0));
  bar.firstElementChild.style.width = `${value * 100}%`;
  bar.setAttribute("aria-valuenow", (Math.floor(value * 1000) / 10).toFixed(1));
  bar.setAttribute("aria-valuetext", percent(value));
}

export function newBar(label) {
  const bar = element("div", "", {
    class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100",
  });
  bar.append(element("span"));
  return bar;
}

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export function dayName(day, days) {
  return days <= 7 ? DAYS[day] : `Day ${day + 1}`;
}
