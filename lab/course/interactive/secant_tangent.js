kit.start("secant_tangent", (ui) => {
  "use strict";
  const f = (x) => x * x + 2 * x + 2, at = 2, tangent = 2 * at + 2;
  const h = ui.slider({ id: "h", label: "distance h", min: -3, max: 3, step: 0.05, value: 2 });
  const slope = ui.output("slope", "slope of the secant");
  const limit = ui.output("tangent", "slope of the tangent");
  const plot = ui.plot({
    x: [-2, 6], y: [-10, 50], label: "A parabola with a secant and the tangent at x = 2",
  });
  const through = (m) => [[-2, f(at) + m * (-2 - at)], [6, f(at) + m * (6 - at)]];
  ui.show(() => {
    const secant = (f(at + h()) - f(at)) / h();
    plot.begin();
    plot.curve(f, "c0");
    plot.line(through(tangent), "c1 dashed");
    if (h()) plot.line(through(secant), "c2");
    plot.dot(at, f(at));
    if (h()) plot.dot(at + h(), f(at + h()), "hollow");
    plot.label("P", at + 0.2, f(at) - 4, "start");
    if (h()) plot.label("Q", at + h() - 0.2, f(at + h()) + 2, "end");
    slope(secant, h() ? undefined : "none: 0/0");
    limit(tangent);
  });
});
