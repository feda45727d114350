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
    this.points = points.map(([at, cost, violations]) => [at, cost, violations || 0]);
    this.draw();
  }

  add(at, cost, violations) {
    if (cost === null || cost === undefined || at === null) return;
    const point = [at, cost, violations || 0];
    const [before, last] = this.points.slice(-2);
    if (last && at < last[0] || before && !last && at < before[0]) return;
    if (last && [before, last].every((one) => one[1] === point[1] && one[2] === point[2])) {
      last[0] = at;
    } else {
      this.points.push(point);
    }
    this.draw();
  }

  // Costs with violations and costs without cannot be compared: once there are any without, those alone.
  get shown() {
    const feasible = this.points.filter((point) => point[2] === 0);
    return feasible.length ? feasible : this.points;
  }

  draw() {
    this.svg.replaceChildren();
    if (!this.points.length) {
      this.text.textContent = "No solution yet.";
      return;
    }
    const points = this.shown, feasible = points[0][2] === 0;
    const costs = points.map((point) => point[1]);
    const high = Math.max(...costs), low = Math.min(...costs);
    const end = Math.max(this.points[this.points.length - 1][0], 1e-9);
    const x = (at) => EDGE + (at / end) * (WIDTH - 2 * EDGE);
    const y = (cost) => EDGE + (high === low ? 0.5 : (high - cost) / (high - low)) * (HEIGHT - 2 * EDGE);
    let path = "";
    for (const [index, [at, cost]] of points.entries()) {
      path += index === 0 ? `M${x(at)} ${y(cost)}` : `H${x(at)}V${y(cost)}`;
    }
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    if (!feasible) line.setAttribute("class", "violations");
    this.svg.append(line);
    const told = `From ${number(costs[0])} to ${number(costs[costs.length - 1])} in ${seconds(end)}`;
    this.text.textContent = feasible ? `${told}.` : `${told}, all with violations so far.`;
  }
}
