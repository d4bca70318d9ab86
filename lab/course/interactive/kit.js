// What the interactives share: sliders, choices, values in words, and a plot that fits its room.
const kit = (() => {
  "use strict";
  const words = (value, digits = 4) => {
    if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "–";
    const size = Math.abs(value);
    const short = size && (size < 1e-3 || size >= 1e6)
      ? value.toExponential(3) : value.toFixed(digits);
    return short.replaceAll("-", "−");
  };
  const make = (parent, tag, attributes = {}, text = "") => {
    const element = parent.appendChild(document.createElement(tag));
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.textContent = text;
    return element;
  };
  const ticks = ([low, high], count) => {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const first = Math.ceil(low / step - 1e-9);
    const found = [];
    for (let i = first; i * step <= high + 1e-9 * step; i += 1) found.push(i * step);
    return found.map((at) => [at, Number(at.toPrecision(6)).toString().replace("-", "−")]);
  };

  // A plot in the units of its axes; `svg` is emptied and drawn anew each time.
  class Plot {
    constructor(drawing, { x, y, ratio = 0.58, tallest = 460, square = false, label }) {
      Object.assign(this, { drawing, x, y, ratio, tallest, square });
      this.svg = drawing.querySelector("svg");
      this.svg.setAttribute("role", "img");
      this.svg.setAttribute("aria-label", label);
    }
    begin() {
      const room = this.drawing.clientWidth, stage = Boolean(this.drawing.closest("dialog"));
      const tallest = stage ? Math.max(innerHeight * 0.5, 240) : this.tallest;
      const size = parseFloat(getComputedStyle(this.drawing).fontSize);
      this.font = stage ? Math.max(14, 0.8 * size) : 14;
      this.left = 3.2 * this.font;
      this.bottom = 1.8 * this.font;
      this.pad = 0.6 * this.font;
      this.width = this.square ? Math.min(room, tallest + this.left - this.bottom) : room;
      this.height = this.square
        ? this.width - this.left + this.bottom : Math.min(this.ratio * room + 40, tallest);
      this.svg.setAttribute("width", this.width);
      this.svg.setAttribute("height", this.height);
      this.svg.replaceChildren();
      ticks(this.x, Math.max(3, this.width / (5 * this.font))).forEach(([at, text]) => {
        this.draw("line", "grid", this.ends([[at, this.y[0]], [at, this.y[1]]]));
        this.write(text, this.sx(at), this.height - 0.4 * this.font, "middle");
      });
      ticks(this.y, Math.max(3, this.height / (4 * this.font))).forEach(([at, text]) => {
        this.draw("line", "grid", this.ends([[this.x[0], at], [this.x[1], at]]));
        this.write(text, this.left - 6, this.sy(at) + 0.35 * this.font, "end");
      });
      this.draw("rect", "frame", {
        x: this.left, y: this.pad, width: this.width - this.left - this.pad,
        height: this.height - this.bottom - this.pad,
      });
    }
    sx(x) {
      const [low, high] = this.x;
      return this.left + (x - low) / (high - low) * (this.width - this.left - this.pad);
    }
    sy(y) {
      const [low, high] = this.y, room = this.height - this.bottom - this.pad;
      const far = 50 * (high - low);  // off the picture is off the picture
      return this.pad + (high - Math.min(Math.max(y, low - far), high + far)) / (high - low) * room;
    }
    point(event) {
      const box = this.svg.getBoundingClientRect(), [a, b] = this.x, [c, d] = this.y;
      const across = (event.clientX - box.left - this.left) / (this.width - this.left - this.pad);
      const up = 1 - (event.clientY - box.top - this.pad)
        / (this.height - this.bottom - this.pad);
      return [a + across * (b - a), c + up * (d - c)];
    }
    ends([[a, b], [c, d]]) {
      return { x1: this.sx(a), y1: this.sy(b), x2: this.sx(c), y2: this.sy(d) };
    }
    draw(tag, style, attributes) {
      const element = document.createElementNS(this.svg.namespaceURI, tag);
      element.setAttribute("class", style);
      Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
      return this.svg.appendChild(element);
    }
    write(text, x, y, anchor, style = "") {
      const attributes = { x, y, "text-anchor": anchor, "font-size": this.font };
      this.draw("text", style, attributes).textContent = text;
    }
    // Clipped by hand to the frame where it leaves it: `clip-path` would want an address.
    line(points, style) {
      const [low, high] = this.y, [left, right] = this.x;
      const cut = (a, b, axis, wall) => {
        const t = (wall - a[axis]) / (b[axis] - a[axis]);
        return [0, 1].map((i) => (i === axis ? wall : a[i] + t * (b[i] - a[i])));
      };
      let path = "", last = null;
      points.forEach((point, i) => {
        if (i === 0) return;
        let a = points[i - 1], b = point;
        for (const [axis, from, to] of [[0, left, right], [1, low, high]]) {
          if (!a || !b || ![...a, ...b].every(Number.isFinite)) { a = null; break; }
          if (Math.max(a[axis], b[axis]) < from || Math.min(a[axis], b[axis]) > to) {
            a = null;
            break;
          }
          const [p, q] = [a, b];
          if (p[axis] < from) a = cut(p, q, axis, from);
          if (p[axis] > to) a = cut(p, q, axis, to);
          if (q[axis] < from) b = cut(p, q, axis, from);
          if (q[axis] > to) b = cut(p, q, axis, to);
        }
        if (!a) { last = null; return; }
        if (a !== last) path += `M${this.sx(a[0])} ${this.sy(a[1])}`;
        path += `L${this.sx(b[0])} ${this.sy(b[1])}`;
        last = b === point ? points[i] : null;
      });
      this.draw("path", `line ${style}`, { d: path || "M0 0" });
    }
    curve(f, style, count = 400) {
      const [low, high] = this.x;
      this.line(Array.from({ length: count + 1 }, (_, i) => {
        const x = low + (high - low) * i / count;
        return [x, f(x)];
      }), style);
    }
    box(x0, y0, x1, y1, style) {
      const [left, right] = [this.sx(Math.min(x0, x1)), this.sx(Math.max(x0, x1))];
      const [top, bottom] = [this.sy(Math.max(y0, y1)), this.sy(Math.min(y0, y1))];
      this.draw("rect", style, { x: left, y: top, width: right - left, height: bottom - top });
    }
    dot(x, y, style = "dot", r = 6) {
      const inside = x >= this.x[0] && x <= this.x[1] && y >= this.y[0] && y <= this.y[1];
      if (inside) this.draw("circle", style, { cx: this.sx(x), cy: this.sy(y), r });
    }
    label(text, x, y, anchor = "middle") {
      this.write(text, this.sx(x), this.sy(y), anchor, "halo");
    }
  }

  const start = (name, setup) => {
    const root = document.querySelector(`[data-interactive="${name}"]`);
    if (!root) return;
    const drawing = root.querySelector(".drawing");
    let redraw = () => {};
    const ui = {
      root, drawing, words,
      plot: (options) => new Plot(drawing, options),
      // `scale` turns the slider's position into the value, such as a power of ten.
      slider: ({ id, label, min, max, step, value, scale = (v) => v, digits = 2 }) => {
        const row = make(root.querySelector(".controls"), "label");
        const head = make(row, "span");
        make(head, "span", {}, label);
        const said = make(head, "b");
        const input = make(row, "input", { type: "range", min, max, step, "data-name": id });
        input.value = value;
        const read = () => scale(Number(input.value));
        const tell = () => {
          said.textContent = words(read(), digits);
          input.setAttribute("aria-valuetext", said.textContent);
          input.dataset.value = read();
        };
        tell();
        input.addEventListener("input", () => { tell(); redraw(); });
        return read;
      },
      choice: ({ id, label, options }) => {
        const group = make(root.querySelector(".controls"), "fieldset");
        make(group, "legend", {}, label);
        const inputs = options.map((option, i) => {
          const row = make(group, "label");
          const input = make(row, "input", { type: "radio", name: `${name}-${id}`, value: option });
          input.checked = i === 0;
          input.addEventListener("change", () => redraw());
          row.append(` ${option}`);
          return input;
        });
        return () => inputs.find((input) => input.checked).value;
      },
      output: (id, label, digits = 6) => {
        const box = make(root.querySelector(".values"), "output", { "data-name": id });
        box.append(`${label} `);
        const said = make(box, "b");
        return (value, text = words(value, digits)) => {
          said.textContent = text;
          box.dataset.value = value;
        };
      },
      show: (draw) => {
        redraw = draw;
        root.hidden = false;
        new ResizeObserver(() => { if (drawing.clientWidth) draw(); }).observe(drawing);
        new MutationObserver(draw).observe(document.documentElement, {
          attributes: true, attributeFilter: ["data-theme"],
        });
        draw();
      },
    };
    setup(ui);
  };
  return { start };
})();
