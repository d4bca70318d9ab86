kit.start("momentum_valley", (ui) => {
  "use strict";
  const steps = 20, f = ([x, y]) => 0.1 * x * x + 2 * y * y;
  const gradient = ([x, y]) => [0.2 * x, 4 * y];
  const rate = ui.slider({
    id: "rate", label: "learning rate η", min: 0, max: 1.2, step: 0.01, value: 0.4,
  });
  const momentum = ui.slider({
    id: "momentum", label: "momentum β", min: 0, max: 0.95, step: 0.01, value: 0,
  });
  const endX = ui.output("x", "after 20 steps x"), endY = ui.output("y", "y");
  const loss = ui.output("loss", "loss");
  const plot = ui.plot({
    x: [-6, 6], y: [-3, 3], ratio: 0.5, label: "The path of 20 steps over contours of the valley",
  });
  const path = () => {
    let point = [-5, -2], v = [0, 0];
    const points = [point];
    for (let t = 0; t < steps; t += 1) {
      const g = gradient(point);
      v = v.map((old, i) => momentum() * old + g[i]);
      point = point.map((old, i) => old - rate() * v[i]);
      points.push(point);
    }
    return points;
  };
  ui.show(() => {
    plot.begin();
    [0.1, 0.5, 1.5, 3, 6, 10, 16].forEach((level) => {
      const [a, b] = [Math.sqrt(level / 0.1), Math.sqrt(level / 2)];
      plot.line(Array.from({ length: 181 }, (_, i) => {
        const t = 2 * Math.PI * i / 180;
        return [a * Math.cos(t), b * Math.sin(t)];
      }), "soft thin");
    });
    const points = path(), last = points.at(-1);
    plot.line(points, "c2");
    points.forEach(([x, y]) => plot.dot(x, y, "dot", 4));
    plot.dot(-5, -2, "hollow");
    plot.label("start", -5, -2.5);
    endX(last[0]);
    endY(last[1]);
    loss(f(last));
  });
});
