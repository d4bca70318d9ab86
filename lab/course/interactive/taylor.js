kit.start("taylor", (ui) => {
  "use strict";
  const kinds = { "exp": [Math.exp, () => 1], "sin": [Math.sin, (k) => [0, 1, 0, -1][k % 4]] };
  const kind = ui.choice({ id: "function", label: "Function", options: Object.keys(kinds) });
  const degree = ui.slider({
    id: "degree", label: "degree n", min: 0, max: 20, step: 1, value: 2, digits: 0,
  });
  const x = ui.slider({ id: "x", label: "x", min: -6, max: 6, step: 0.1, value: 1.5, digits: 1 });
  const value = ui.output("polynomial", "polynomial"), exact = ui.output("function", "function");
  const error = ui.output("error", "error");
  const plot = ui.plot({ x: [-6, 6], y: [-4, 8], label: "A function and its Taylor polynomial at 0" });
  const polynomial = (derivative, n, at) => {
    let sum = 0, term = 1;
    for (let k = 0; k <= n; k += 1) {
      sum += derivative(k) * term;
      term *= at / (k + 1);
    }
    return sum;
  };
  ui.show(() => {
    const [f, derivative] = kinds[kind()];
    const p = (at) => polynomial(derivative, degree(), at);
    plot.begin();
    plot.line([[x(), -4], [x(), 8]], "soft thin");
    plot.curve(f, "c0");
    plot.curve(p, "c2 dashed");
    plot.dot(x(), f(x()));
    plot.dot(x(), p(x()), "hollow");
    value(p(x()));
    exact(f(x()));
    error(p(x()) - f(x()));
  });
});
