kit.start("basins_three_wells", (ui) => {
  "use strict";
  const wells = [[10, 3, 3, 0.5, 0.5], [2, 1, 2, 3, 1.5], [3, 1, 0.5, 3.5, 4]];
  const names = ["A", "B", "C"], side = 5, cells = 150, most = 1000, still = 1e-9;
  // f = 10 - sum of depth / (base + width |p - centre|^2) over the wells.
  const gradient = (x, y) => {
    let gx = 0, gy = 0;
    for (const [depth, base, width, cx, cy] of wells) {
      const dx = x - cx, dy = y - cy, q = base + width * (dx * dx + dy * dy);
      const slope = 2 * depth * width / (q * q);
      gx += slope * dx;
      gy += slope * dy;
    }
    return [gx, gy];
  };
  const descend = (x, y, rate, seen) => {
    let t = 0;
    for (; t < most; t += 1) {
      const [gx, gy] = gradient(x, y);
      if (Math.abs(gx) + Math.abs(gy) < still) break;
      x -= rate * gx;
      y -= rate * gy;
      if (seen) seen.push([x, y]);
    }
    return [x, y, t];
  };
  const minima = wells.map(([, , , cx, cy]) => descend(cx, cy, 0.05));
  const reached = ([x, y]) => minima.findIndex(([a, b]) => Math.hypot(x - a, y - b) < 1e-2);

  const rate = ui.slider({
    id: "rate", label: "learning rate η", min: 0.05, max: 3, step: 0.05, value: 0.2,
  });
  const well = ui.output("well", "well"), steps = ui.output("steps", "steps", 0);
  const fromX = ui.output("start-x", "start x", 3), fromY = ui.output("start-y", "y", 3);
  const canvas = ui.drawing.querySelector("canvas"), paint = canvas.getContext("2d");
  const plot = ui.plot({
    x: [0, side], y: [0, side], square: true, tallest: 640,
    label: "The square of starts, patterned by the well that each reaches, with one path. "
      + "Arrow keys move its start.",
  });
  let start = [0.5, 3], painted = "";

  // Patterns as well as colours: A plain, B with stripes, C with dots, no well a chequerboard.
  const marked = [
    () => false, (i, j) => (i + j) % 10 < 2, (i, j) => i % 8 < 2 && j % 8 < 2,
    (i, j) => (i + j) % 2 === 0,
  ];
  const colour = (name) => {
    const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
  };
  const fill = () => {
    const key = `${rate()} ${document.documentElement.dataset.theme}`;
    if (key === painted) return;
    painted = key;
    canvas.width = canvas.height = cells;
    const image = paint.createImageData(cells, cells), [back, ink] = ["--back", "--ink"].map(colour);
    const tones = ["--c0", "--c1", "--c4", "--soft"].map(colour);
    for (let j = 0; j < cells; j += 1) {
      for (let i = 0; i < cells; i += 1) {
        const end = descend((i + 0.5) * side / cells, side - (j + 0.5) * side / cells, rate());
        const found = reached(end), kind = found < 0 ? 3 : found;
        const [other, share] = marked[kind](i, j) ? [ink, 0.55] : [back, 0.45];
        tones[kind].forEach((tone, k) => {
          image.data[4 * (j * cells + i) + k] = (1 - share) * tone + share * other[k];
        });
        image.data[4 * (j * cells + i) + 3] = 255;
      }
    }
    paint.putImageData(image, 0, 0);
  };
  let due = 0;
  const draw = () => {
    plot.begin();
    const size = plot.width - plot.left - plot.pad;
    canvas.style.cssText = `left:${plot.left}px;top:${plot.pad}px;width:${size}px;height:${size}px`;
    const seen = [start], end = descend(...start, rate(), seen), found = reached(end);
    plot.line(seen, "ink");
    seen.slice(0, 60).forEach(([x, y]) => plot.dot(x, y, "dot", 3));
    plot.dot(...start, "hollow", 8);
    minima.forEach(([x, y], i) => {
      plot.dot(x, y, "dot", 5);
      plot.label(names[i], x, y + 0.2);
    });
    well(found < 0 ? "none" : names[found], found < 0 ? "none" : names[found]);
    steps(end[2]);
    fromX(start[0]);
    fromY(start[1]);
    clearTimeout(due);
    due = setTimeout(fill, painted ? 60 : 0);
  };
  const move = (x, y) => {
    start = [x, y].map((v) => Math.min(Math.max(v, 0), side));
    draw();
  };
  plot.svg.tabIndex = 0;
  plot.svg.dataset.arrows = "";
  plot.svg.setAttribute("aria-roledescription", "picture moved by arrow keys");
  plot.svg.addEventListener("pointerdown", (event) => move(...plot.point(event)));
  plot.svg.addEventListener("keydown", (event) => {
    const by = event.shiftKey ? 0.01 : 0.1;
    const [dx, dy] = {
      ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by],
    }[event.key] ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    move(start[0] + dx, start[1] + dy);
  });
  ui.show(draw);
});
