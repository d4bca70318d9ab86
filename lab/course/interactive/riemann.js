kit.start("riemann", (ui) => {
  "use strict";
  const f = (x) => x / (1 + x * x), end = 2, exact = Math.log(5) / 2;
  const rules = {  // the heights of a bar's two upper corners, from its ends
    left: (a) => [f(a), f(a)],
    midpoint: (a, b) => [f((a + b) / 2), f((a + b) / 2)],
    right: (a, b) => [f(b), f(b)],
    trapezoid: (a, b) => [f(a), f(b)],
  };
  const rule = ui.choice({ id: "rule", label: "Rule", options: Object.keys(rules) });
  const n = ui.slider({
    id: "n", label: "bars n", min: 1, max: 100, step: 1, value: 8, digits: 0,
  });
  const sum = ui.output("sum", "sum"), area = ui.output("integral", "integral");
  const error = ui.output("error", "error");
  const plot = ui.plot({ x: [0, end], y: [0, 0.6], label: "The area under a curve, in bars" });
  ui.show(() => {
    plot.begin();
    const width = end / n();
    let total = 0;
    for (let i = 0; i < n(); i += 1) {
      const a = i * width, b = a + width, [one, other] = rules[rule()](a, b);
      const corners = [[a, 0], [a, one], [b, other], [b, 0]];
      const points = corners.map(([u, v]) => `${plot.sx(u)},${plot.sy(v)}`).join(" ");
      plot.draw("polygon", "area", { points });
      total += width * (one + other) / 2;
    }
    plot.curve(f, "ink");
    sum(total);
    area(exact);
    error(total - exact);
  });
});
