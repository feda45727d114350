// The cost over time, as it grows.

import { number, seconds } from "./words.js";

const WIDTH = 600, HEIGHT = 180, EDGE = 8;

export class Curve {
  constructor() {
    this.svg = document.getElementById("curve");
    this.text = document.getElementById("curve-text");
    this.points = [];
  }

  begin(points) {
    this.points = points.map(([at, cost]) => [at, cost]);
    this.draw();
  }

  add(at, cost) {
    if (cost === null || cost === undefined || at === null) return;
    const last = this.points[this.points.length - 1];
    if (last && at < last[0]) return;
    if (last && last[1] === cost && this.points.length > 1 && this.points[this.points.length - 2][1] === cost) {
      last[0] = at;
    } else {
      this.points.push([at, cost]);
    }
    this.draw();
  }

  draw() {
    this.svg.replaceChildren();
    if (!this.points.length) {
      this.text.textContent = "No solution yet.";
      return;
    }
    const costs = this.points.map((point) => point[1]);
    const high = Math.max(...costs), low = Math.min(...costs);
    const end = Math.max(this.points[this.points.length - 1][0], 1e-9);
    const x = (at) => EDGE + (at / end) * (WIDTH - 2 * EDGE);
    const y = (cost) => EDGE + (high === low ? 0.5 : (high - cost) / (high - low)) * (HEIGHT - 2 * EDGE);
    let path = "";
    for (const [index, [at, cost]] of this.points.entries()) {
      path += index === 0 ? `M${x(at)} ${y(cost)}` : `H${x(at)}V${y(cost)}`;
    }
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    this.svg.append(line);
    this.text.textContent =
      `From ${number(costs[0])} to ${number(costs[costs.length - 1])} in ${seconds(end)}.`;
  }
}
