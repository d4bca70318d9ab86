kit.start("epsilon_delta", (ui) => {
  "use strict";
  const f = (x) => (x ? Math.sin(x) / x : NaN);
  const epsilon = ui.slider({
    id: "epsilon", label: "ε", min: -3, max: -0.3, step: 0.01, value: -0.7, digits: 4,
    scale: (power) => 10 ** power,
  });
  const delta = ui.output("delta", "δ");
  const guess = ui.output("approximation", "√(6ε)");
  const plot = ui.plot({
    x: [-3.2, 3.2], y: [-0.1, 1.25],
    label: "The curve sin(x)/x near 0, a band of half-width ε about 1, and the δ that keeps it in",
  });
  // On (0, π) the curve falls from 1 to 0, so halving finds where it leaves the band.
  const widest = (gap) => {
    let [inside, outside] = [0, Math.PI];
    for (let i = 0; i < 60; i += 1) {
      const middle = (inside + outside) / 2;
      if (1 - f(middle) < gap) inside = middle; else outside = middle;
    }
    return inside;
  };
  ui.show(() => {
    const e = epsilon(), d = widest(e);
    plot.begin();
    plot.box(-3.2, Math.max(1 - e, -0.1), 3.2, Math.min(1 + e, 1.25), "band");
    plot.line([[-3.2, 1 - e], [3.2, 1 - e]], "c1 thin dashed");
    plot.line([[-3.2, 1 + e], [3.2, 1 + e]], "c1 thin dashed");
    plot.line([[-d, -0.1], [-d, 1.25]], "ink thin");
    plot.line([[d, -0.1], [d, 1.25]], "ink thin");
    plot.curve((x) => f(x || 1e-9), "c0");
    plot.dot(0, 1, "hollow");
    plot.label("−δ", -d - 0.06, 0.02, "end");
    plot.label("δ", d + 0.06, 0.02, "start");
    plot.label("1 − ε", -3.1, 1 - e + 0.02, "start");
    delta(d);
    guess(Math.sqrt(6 * e));
  });
});
