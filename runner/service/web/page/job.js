// One job: its bars, its curve, its timetable, its files and its log.

import { ask, Stream } from "./api.js";
import { Curve } from "./curve.js";
import { Week } from "./week.js";
import { element, fill, newBar, number, percent, seconds } from "./words.js";

const ENDED = ["finished", "stopped", "failed", "lost"];
const MOST_LINES = 500;
const FILES = {
  solution: "solution", page: "timetable as a page", table: "timetable as a table",
  log: "log", "run.json": "run.json", instance: "instance",
};
const get = (id) => document.getElementById(id);

export class JobView {
  constructor(tellLive, changed) {
    this.tellLive = tellLive;
    this.changed = changed;
    this.stream = null;
    this.id = null;
    this.curve = new Curve();
    this.week = new Week();
    for (const button of get("steer").querySelectorAll("button")) {
      button.addEventListener("click", () => this.steer(button.dataset.command));
    }
  }

  open(id) {
    if (this.stream) this.stream.close();
    this.id = id;
    this.etag = null;
    this.weekAt = 0;
    this.weekCost = undefined;
    get("about").hidden = false;
    get("told").textContent = "";
    get("log").replaceChildren();
    get("stages").replaceChildren();
    get("message").textContent = "";
    this.week.show(null);
    this.curve.begin([]);
    get("job-title").textContent = id;
    this.load(id);
    this.stream = new Stream(id, (kind, data) => this.id === id && this.take(kind, data), this.tellLive);
  }

  close() {
    if (this.stream) this.stream.close();
    this.id = null;
    get("about").hidden = true;
    get("job-title").textContent = "Choose a job, or start one.";
  }

  async load(id) {
    try {
      const [about, { points }] = [await ask(`v1/jobs/${id}`), await ask(`v1/jobs/${id}/curve`)];
      if (this.id !== id) return;
      this.curve.begin(points);
      this.showJob(about);
      if (about.snapshot) this.showSnapshot({ ...about.snapshot, cost: about.cost, violations: about.violations });
      this.loadWeek();
    } catch (error) {
      if (this.id === id) get("told").textContent = error.message;
    }
  }

  take(kind, data) {
    if (kind === "job" || kind === "end") {
      const status = data.why && !ENDED.includes(data.status) ? `${data.status}: ${data.why}` : data.why || data.status;
      if (status !== this.lastStatus || kind === "end") this.note(status);
      this.lastStatus = status;
      this.showJob(data);
      if (kind === "end") {
        if (data.snapshot) this.showSnapshot({ ...data.snapshot, cost: data.cost, violations: data.violations, eta: null });
        this.weekCost = undefined;
        this.weekAt = 0;
        this.loadWeek();
      }
      this.changed();
      return;
    }
    if (kind === "stage_begin") this.note(`${data.message || data.stage} begins`);
    if (kind === "stage_end") this.note(`${data.message || data.stage}: ended, cost ${number(data.cost)}`);
    if (kind === "pipeline_begin") this.note("the run begins");
    this.showSnapshot(data);
    this.curve.add(data.elapsed, data.cost, data.violations);
    if (data.cost !== this.weekCost) this.loadWeek();
  }

  note(text) {
    const log = get("log");
    const time = new Date().toLocaleTimeString("en-GB");
    log.append(element("li", `${time} ${text}`));
    if (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
    log.scrollTop = log.scrollHeight;
  }

  showJob(about) {
    get("job-title").textContent = about.name || about.id;
    get("status").textContent = about.status;
    // "stopped", and then "by a command": the word is there already.
    const why = about.why || "";
    get("why").textContent = why.startsWith(about.status) ? why.slice(about.status.length).trim() : why;
    const ended = ENDED.includes(about.status);
    const running = about.status === "running", paused = about.status === "paused";
    const may = { pause: running, resume: paused, "skip-stage": running, stop: !ended, delete: true };
    for (const button of get("steer").querySelectorAll("button")) {
      button.disabled = !may[button.dataset.command];
    }
    const links = about.files.filter((name) => FILES[name]).map((name) => {
      const item = element("li");
      const link = element("a", FILES[name], { href: `v1/jobs/${about.id}/files/${name}` });
      if (name === "page") link.target = "_blank"; else link.setAttribute("download", "");
      item.append(link);
      return item;
    });
    get("files").replaceChildren(...links);
  }

  showSnapshot(snapshot) {
    fill(get("bar"), snapshot.progress);
    get("progress").textContent = percent(snapshot.progress);
    get("message").textContent = snapshot.message || "";
    get("cost").textContent = number(snapshot.cost);
    get("violations").textContent = number(snapshot.violations);
    get("elapsed").textContent = seconds(snapshot.elapsed);
    get("eta").textContent = seconds(snapshot.eta);
    this.showStages(snapshot);
  }

  showStages(snapshot) {
    const box = get("stages"), stages = snapshot.stages || [];
    if (box.childElementCount !== stages.length) {
      box.replaceChildren(...stages.map((stage) => {
        const row = element("div", "", { class: "bar-row" });
        row.append(element("span", stage.label || stage.name, { class: "bar-name" }));
        row.append(newBar(stage.label || stage.name), element("span", "", { class: "count" }));
        return row;
      }));
    }
    for (const [index, stage] of stages.entries()) {
      const row = box.children[index], present = stage.name === snapshot.stage && !stage.ended_by;
      // One that was stopped on its way stays where it was.
      const cut = stage.name === snapshot.stage && stage.ended_by === "stopped";
      const part = present || cut ? snapshot.stage_progress : stage.ended_by ? 1 : 0;
      fill(row.children[1], part);
      const done = present ? snapshot.done : stage.done, total = present ? snapshot.total : stage.total;
      const count = done === undefined || done === null ? "" : total ? `${done}/${total}` : `${done}`;
      row.children[2].textContent = stage.ended_by || present ? count : "";
    }
  }

  // As often as there is a better one, once in two seconds at most.
  loadWeek() {
    clearTimeout(this.weekTimer);
    const id = this.id, wait = Math.max(0, this.weekAt + 2000 - Date.now());
    this.weekTimer = setTimeout(async () => {
      this.weekAt = Date.now();
      try {
        const week = await ask(`v1/jobs/${id}/files/timetable`);
        if (this.id !== id) return;
        this.weekCost = week.cost;
        this.week.show(week);
      } catch { /* there is none yet */ }
    }, wait);
  }

  async steer(command) {
    get("told").textContent = "";
    const id = this.id;
    try {
      if (command === "delete") {
        if (!confirm("Delete this job and its files?")) return;
        await ask(`v1/jobs/${id}`, { method: "DELETE" });
        this.close();
      } else {
        this.note(`asked to ${command.replace("-", " ")}`);
        this.showJob(await ask(`v1/jobs/${id}/${command}`, { method: "POST" }));
      }
    } catch (error) {
      get("told").textContent = error.message;
    }
    this.changed();
  }
}
