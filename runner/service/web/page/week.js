// The newest best timetable: the week of a room, a curriculum, a teacher, a course, ….

import { facultyViews } from "./faculty_week.js";
import { universityViews } from "./university_week.js";
import { element } from "./words.js";

const VIEWS = { timetable: facultyViews, university: universityViews };

// What a kind of timetable has for it: `names`, by what a view is called the names of the things
// that it shows the week of; `weeks`, words for each week where they differ; and `rows(view, index,
// week)`, the rows of the table, of which week is null for all of them.
export class Week {
  constructor() {
    const get = (id) => document.getElementById(id);
    this.kind = get("kind");
    this.which = get("which");
    this.when = get("when");
    this.whenLabel = get("when-label");
    this.table = get("week");
    this.details = get("details");
    this.title = get("details-title");
    this.views = null;
    this.kind.addEventListener("change", () => { this.offer(this.which, this.names, 0); this.draw(); });
    this.which.addEventListener("change", () => this.draw());
    this.when.addEventListener("change", () => this.draw());
  }

  get names() {
    return this.views.names[this.kind.value] || [];
  }

  show(data) {
    if (data === null) {
      this.views = null;
      for (const one of [this.table, this.kind, this.which, this.when, this.details]) one.replaceChildren();
      this.title.textContent = "What it costs";
      return;
    }
    this.views = VIEWS[data.kind || "timetable"](data);
    const kinds = Object.keys(this.views.names);
    this.offer(this.kind, kinds, kinds[0], kinds);
    this.offer(this.which, this.names, 0);
    this.whenLabel.hidden = this.views.weeks.length === 0;
    this.offer(this.when, ["all weeks", ...this.views.weeks], "", ["", ...this.views.weeks.keys()]);
    this.draw();
    this.details.replaceChildren(...data.details.map((line) => element("li", line)));
    const broken = data.violations ? `, ${data.violations} of them violations` : "";
    this.title.textContent = `What it costs: ${data.details_total} in all${broken}`;
  }

  // What somebody looks at stays, while what is in it changes.
  offer(list, names, first, values = names.map((_, index) => index)) {
    const same = list.options.length === names.length
      && names.every((name, index) => list.options[index].text === name);
    if (same) return;
    const chosen = list.value;
    list.replaceChildren(...names.map((name, index) => element("option", name, { value: values[index] })));
    list.value = [...list.options].some((one) => one.value === chosen) ? chosen : String(first);
  }

  draw() {
    if (this.views === null) return;
    const week = this.when.value === "" ? null : Number(this.when.value);
    this.table.replaceChildren(...this.views.rows(this.kind.value, Number(this.which.value), week));
  }
}
