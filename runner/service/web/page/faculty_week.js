// A curriculum's timetable: one week, by room, curriculum or teacher.

import { dayName, element } from "./words.js";

export function facultyViews(data) {
  const { days, slots, lectures, courses, rooms, curricula, teachers } = data;
  const names = {
    room: rooms.map((one) => one[0]),
    curriculum: curricula.map((one) => one[0]),
    teacher: teachers,
  };

  function rows(view, index) {
    const isIn = {
      room: (course, room) => room === index,
      curriculum: (course) => curricula[index] !== undefined && curricula[index][1].includes(course),
      teacher: (course) => courses[course][1] === index,
    }[view];
    const cells = new Map();
    for (const [course, period, room] of lectures) {
      if (!isIn(course, room)) continue;
      const place = view === "room" ? "" : ` (${rooms[room][0]})`;
      cells.set(period, [...(cells.get(period) || []), `${courses[course][0]}${place}`]);
    }
    const head = element("tr");
    head.append(element("th", "", { scope: "col" }));
    for (let day = 0; day < days; day++) head.append(element("th", dayName(day, days), { scope: "col" }));
    const all = [head];
    for (let slot = 0; slot < slots; slot++) {
      const row = element("tr");
      row.append(element("th", `${slot + 1}`, { scope: "row" }));
      for (let day = 0; day < days; day++) {
        row.append(element("td", (cells.get(day * slots + slot) || []).join(", ")));
      }
      all.push(row);
    }
    return all;
  }

  return { names, weeks: [], rows };
}
