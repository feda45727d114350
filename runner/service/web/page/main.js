// The page: a list of jobs, a form for new ones, and the job that is looked at.

import { ask } from "./api.js";
import { JobView } from "./job.js";
import { element, fill, newBar, percent } from "./words.js";

const get = (id) => document.getElementById(id);
const LIST_SECONDS = 1.5;
let pages = 1;

function tellLive(live) {
  get("live").textContent = live ? "live" : "not live: the service is away, trying again …";
  get("live").classList.toggle("off", !live);
}

const view = new JobView(tellLive, () => list());

function open(id) {
  history.replaceState(null, "", `#${id}`);
  view.open(id);
  mark();
  get("job").focus();
}

function mark() {
  for (const button of get("jobs").querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === view.id));
  }
}

async function list() {
  clearTimeout(list.timer);
  try {
    const jobs = [];
    let before = "", page;
    for (let count = 0; count < pages; count++) {
      page = await ask(`v1/jobs?limit=50${before}`);
      jobs.push(...page.jobs);
      if (page.next === null) break;
      before = `&before=${page.next}`;
    }
    get("more").hidden = page.next === null;
    get("no-jobs").hidden = jobs.length > 0;
    showList(jobs);
    tellLive(true);
  } catch (error) {
    if (error.status === 401) return logIn();
    tellLive(false);
  }
  list.timer = setTimeout(list, LIST_SECONDS * 1000);
}

function showList(jobs) {
  const box = get("jobs");
  const known = new Map([...box.children].map((item) => [item.firstElementChild.dataset.id, item]));
  const items = jobs.map((job) => {
    const item = known.get(job.id) || newItem(job);
    const button = item.firstElementChild, [name, state, bar] = button.children;
    name.textContent = job.name || job.id;
    state.textContent = ["running", "paused"].includes(job.status) ? `${job.status} ${percent(job.progress)}` : job.status;
    fill(bar, job.progress);
    return item;
  });
  // What has the focus must not be taken out and put in again.
  if (items.length !== box.childElementCount || items.some((item, index) => box.children[index] !== item)) {
    const focused = document.activeElement;
    box.replaceChildren(...items);
    if (box.contains(focused)) focused.focus();
  }
  mark();
}

function newItem(job) {
  const item = element("li"), button = element("button", "", { type: "button", "data-id": job.id });
  button.append(element("span", "", { class: "name" }), element("span"), newBar(job.name || job.id));
  button.addEventListener("click", () => open(job.id));
  item.append(button);
  return item;
}

function logIn() {
  get("login").hidden = false;
  get("all").hidden = true;
  get("live").textContent = "a token is needed";
}

// What the file holds tells: XML, or packed.
async function isUniversity(file) {
  const bytes = new Uint8Array(await file.slice(0, 512).arrayBuffer());
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  return new TextDecoder().decode(bytes).trimStart().startsWith("<");
}

async function submit(file, name) {
  get("file-fault").textContent = "";
  const form = new FormData();
  form.append("instance", file, "instance");
  if (name) form.append("name", name);
  // A university's file says itself what counts.
  if (!await isUniversity(file)) form.append("formulation", get("formulation").value);
  if (get("seconds").value) form.append("time_limit", get("seconds").value);
  if (get("seed").value) form.append("seed", get("seed").value);
  get("start").disabled = true;
  try {
    const headers = { "Idempotency-Key": crypto.randomUUID ? crypto.randomUUID() : String(Math.random()) };
    const job = await ask("v1/jobs", { method: "POST", body: form, headers });
    await list();
    open(job.id);
  } catch (error) {
    const problem = error.problem || {};
    // In the name that its owner knows it by.
    const words = problem.file ? error.message.replace(problem.file, file.name || "file") : error.message;
    get("file-fault").textContent = words;
  } finally {
    get("start").disabled = false;
  }
}

get("new").addEventListener("submit", (event) => {
  event.preventDefault();
  const file = get("file").files[0];
  if (!file) {
    get("file-fault").textContent = "Choose a file first, or try the demo.";
    get("file").focus();
    return;
  }
  submit(file, get("name").value || file.name);
});

get("file").addEventListener("change", async () => {
  const [file] = get("file").files;
  get("formulation").disabled = file !== undefined && await isUniversity(file);
});

get("demo").addEventListener("click", async () => {
  try {
    const kind = get("demo-kind").value;
    const text = await ask(`v1/demo?kind=${kind}`);
    await submit(new File([text], "demo"), get("name").value || "Demo");
  } catch (error) {
    get("file-fault").textContent = error.message;
  }
});

get("more").addEventListener("click", () => { pages += 1; list(); });

const drop = get("drop");
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = event.dataTransfer.files[0];
  if (!file) return;
  get("file").files = event.dataTransfer.files;
  submit(file, get("name").value || file.name);
});

async function begin() {
  try {
    await ask("v1/service");
  } catch (error) {
    if (error.status === 401) return logIn();
    tellLive(false);
    setTimeout(begin, 1000);
    return;
  }
  get("all").hidden = false;
  await list();
  const wanted = location.hash.slice(1);
  if (/^[0-9]{8}-[0-9]{6}-[0-9a-f]{12}$/.test(wanted)) open(wanted);
}

begin();
