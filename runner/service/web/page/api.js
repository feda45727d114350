// What the page asks of the service.

export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || `the service answers ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

export async function ask(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  if (!response.ok) {
    let problem = {};
    try { problem = await response.json(); } catch { /* not one of the service's own */ }
    throw new Refusal(response.status, problem);
  }
  const type = response.headers.get("content-type") || "";
  if (response.status === 204) return null;
  return type.includes("json") ? response.json() : response.text();
}

// An event stream that comes back by itself, from where it was.
export class Stream {
  constructor(jobId, take, tellLive) {
    this.jobId = jobId;
    this.take = take;
    this.tellLive = tellLive;
    this.lastId = null;
    this.over = false;
    this.connect();
  }

  connect() {
    const after = this.lastId === null ? "" : `?after=${this.lastId}`;
    this.source = new EventSource(`v1/jobs/${this.jobId}/events${after}`);
    this.source.onopen = () => this.tellLive(true);
    this.source.onerror = () => {
      if (this.over) return;
      this.tellLive(false);
      if (this.source.readyState === EventSource.CLOSED) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.connect(), 1000);
      }
    };
    const kinds = ["job", "snapshot", "pipeline_begin", "stage_begin", "stage_end", "pipeline_end", "end"];
    for (const kind of kinds) {
      this.source.addEventListener(kind, (event) => {
        if (this.over) return;
        this.tellLive(true);
        if (event.lastEventId) this.lastId = event.lastEventId;
        if (kind === "end") this.close();
        this.take(kind, JSON.parse(event.data));
      });
    }
  }

  close() {
    this.over = true;
    clearTimeout(this.timer);
    this.source.close();
  }
}
