// A university's timetable: weeks that differ, by room, course, class or group of students.

import { dayName, element, number } from "./words.js";

const FAULTS = [
  "no time", "none of its rooms", "room closed", "room taken twice", "breaks a required rule",
  "wrong students", "over its limit",
];
const MINUTES = 1440;

export function universityViews(data) {
  const { n_days: days, n_weeks: weeks, slots, rooms, courses, subparts } = data;
  const clock = (slot) => {
    const minutes = Math.floor((slot * MINUTES) / slots);
    return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  };
  const times = data.times.map(([mask, start, end, at]) => {
    const [bits, words] = data.weeks[at];
    return { mask, start, end, bits, words: bits.includes("0") ? words : "" };
  });
  const classes = data.classes.map(([id, subpart, time, room, , , , , faults]) => ({
    id, course: subparts[subpart][0], time: time < 0 ? null : times[time], room,
    faults: FAULTS.filter((_, bit) => (faults >> bit) & 1),
  }));
  const names = {
    room: rooms.map((one) => one[0]),
    course: courses,
    class: classes.map((one) => one.id),
    "student group": data.groups.map((one) => one[0]),
  };
  // A university may be without rooms, and without students.
  for (const view of Object.keys(names)) if (!names[view].length) delete names[view];

  function shown(view, index) {
    if (view === "room") return classes.filter((one) => one.room === index);
    if (view === "course") return classes.filter((one) => one.course === index);
    if (view === "class") return classes.slice(index, index + 1);
    return (data.groups[index] || [null, []])[1].map((k) => classes[k]);
  }

  function card(one, view) {
    const box = element("div", "", { class: one.faults.length ? "class wrong" : "class" });
    box.style.setProperty("--hue", String(Math.round((one.course * 137.508) % 360)));
    const place = view === "room" || one.room < 0 ? "" : `room ${rooms[one.room][0]}`;
    const name = view === "course" ? `class ${one.id}` : `course ${courses[one.course]}, class ${one.id}`;
    const when = one.time === null ? "no time" : `${clock(one.time.start)}–${clock(one.time.end)}`;
    box.append(element("b", when), element("span", name));
    if (place) box.append(element("span", place));
    if (one.time !== null && one.time.words) box.append(element("em", one.time.words));
    if (one.faults.length) box.append(element("strong", one.faults.join(", ")));
    return box;
  }

  function rows(view, index, week) {
    const found = shown(view, index);
    const inWeek = found.filter((one) => one.time !== null && (week === null || one.time.bits[week] === "1"));
    inWeek.sort((a, b) => a.time.start - b.time.start || a.time.end - b.time.end);
    const head = element("tr"), row = element("tr", "", { class: "classes" });
    for (let day = 0; day < days; day++) {
      const here = inWeek.filter((one) => (one.time.mask >>> day) & 1);
      // The days at the end on which nothing ever is need no column.
      if (day >= 5 && !classes.some((one) => one.time !== null && (one.time.mask >>> day) & 1)) continue;
      head.append(element("th", dayName(day, days), { scope: "col" }));
      const cell = element("td");
      cell.append(...here.map((one) => card(one, view)));
      row.append(cell);
    }
    const without = found.filter((one) => one.time === null);
    if (!without.length) return [head, row];
    const last = element("tr"), cell = element("td", "", { colspan: head.childElementCount });
    cell.append(...without.map((one) => card(one, view)));
    last.append(cell);
    return [head, row, last];
  }

  const words = Array.from({ length: weeks }, (_, week) => `week ${number(week + 1)}`);
  return { names, weeks: weeks > 1 ? words : [], rows };
}
