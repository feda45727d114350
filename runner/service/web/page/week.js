// The newest best timetable, by room, curriculum or teacher.

import { element } from "./words.js";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export class Week {
  constructor() {
    this.kind = document.getElementById("kind");
    this.which = document.getElementById("which");
    this.table = document.getElementById("week");
    this.details = document.getElementById("details");
    this.data = null;
    this.kind.addEventListener("change", () => { this.choices(); this.draw(); });
    this.which.addEventListener("change", () => this.draw());
  }

  show(data) {
    const same = this.data !== null;
    this.data = data;
    if (data === null) {
      this.table.replaceChildren();
      this.which.replaceChildren();
      this.details.replaceChildren();
      return;
    }
    const chosen = this.which.value;
    this.choices();
    // What somebody looks at stays, while what is in it changes.
    if (same && [...this.which.options].some((one) => one.value === chosen)) this.which.value = chosen;
    this.draw();
    this.details.replaceChildren(...data.details.map((line) => element("li", line)));
    document.getElementById("details-title").textContent =
      `What it costs: ${data.details_total} in all`;
  }

  choices() {
    if (this.data === null) return;
    const lists = {
      room: this.data.rooms.map((one) => one[0]),
      curriculum: this.data.curricula.map((one) => one[0]),
      teacher: this.data.teachers,
    };
    const names = lists[this.kind.value];
    this.which.replaceChildren(...names.map((name, index) => element("option", name, { value: index })));
  }

  draw() {
    if (this.data === null) return;
    const { days, slots, lectures, courses, rooms, curricula } = this.data;
    const index = Number(this.which.value);
    const isIn = {
      room: (course, room) => room === index,
      curriculum: (course) => curricula[index] !== undefined && curricula[index][1].includes(course),
      teacher: (course) => courses[course][1] === index,
    }[this.kind.value];
    const cells = new Map();
    for (const [course, period, room] of lectures) {
      if (!isIn(course, room)) continue;
      const place = this.kind.value === "room" ? "" : ` (${rooms[room][0]})`;
      cells.set(period, [...(cells.get(period) || []), `${courses[course][0]}${place}`]);
    }
    const head = element("tr");
    head.append(element("th", "", { scope: "col" }));
    for (let day = 0; day < days; day++) {
      head.append(element("th", days <= 7 ? DAYS[day] : `Day ${day + 1}`, { scope: "col" }));
    }
    const rows = [head];
    for (let slot = 0; slot < slots; slot++) {
      const row = element("tr");
      row.append(element("th", `${slot + 1}`, { scope: "row" }));
      for (let day = 0; day < days; day++) {
        row.append(element("td", (cells.get(day * slots + slot) || []).join(", ")));
      }
      rows.push(row);
    }
    this.table.replaceChildren(...rows);
  }
}
