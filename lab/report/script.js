(() => {
  "use strict";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const sources = document.querySelectorAll("source[data-dark]");
  let chosen = null;

  const link = () => document.querySelectorAll("a[data-shown]").forEach((a) => {
    const picture = a.closest("figure").querySelector("picture");
    const dark = root.dataset.theme === "dark";
    a.href = dark ? picture.querySelector("source").srcset : picture.querySelector("img").src;
    a.hidden = false;
  });
  // A figure that moves: the still picture until it is asked to play, then a canvas in its place.
  const players = [...document.querySelectorAll("button[data-play]")].map((play) => {
    const figure = play.closest("figure"), slider = figure.querySelector("input[data-frame]");
    const still = figure.querySelector("picture"), box = document.createElement("div");
    const canvas = box.appendChild(document.createElement("canvas"));
    let opened = null, theme = null, timer = null;
    box.className = "moving";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", still.querySelector("img").alt);
    const open = () => {
      const { href, dataset } = figure.querySelector("a[data-moving]");
      if (theme !== root.dataset.theme) {
        theme = root.dataset.theme;
        opened = animation(canvas, theme === "dark" ? dataset.moving : href);
      }
      if (!box.isConnected) still.after(box);
      still.hidden = true;
      opened.show(Number(slider.value));
    };
    const pause = () => {
      clearTimeout(timer);
      timer = null;
      play.firstChild.textContent = "▶ Play";
      play.setAttribute("aria-pressed", "false");
    };
    const tick = () => {
      timer = setTimeout(() => {
        slider.value = (Number(slider.value) + 1) % opened.count;
        opened.show(Number(slider.value));
        tick();
      }, opened.milliseconds(Number(slider.value)));
    };
    const start = () => {
      open();
      play.firstChild.textContent = "❚❚ Pause";
      play.setAttribute("aria-pressed", "true");
      tick();
    };
    const rest = () => {
      pause();
      box.remove();
      still.hidden = false;
    };
    play.addEventListener("click", () => { (timer === null ? start : pause)(); });
    slider.addEventListener("input", () => { pause(); open(); });
    play.hidden = false;
    slider.closest("label").hidden = false;
    return { rest, repaint: () => { if (box.isConnected) open(); } };
  });
  addEventListener("beforeprint", () => players.forEach((player) => player.rest()));
  const show = () => {
    const mode = chosen || (system.matches ? "dark" : "light");
    root.dataset.theme = mode;
    sources.forEach((source) => { source.media = mode === "dark" ? "screen" : "not all"; });
    button.textContent = mode === "dark" ? "Light theme" : "Dark theme";
    link();
    players.forEach((player) => player.repaint());
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);
  show();

  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  document.querySelectorAll("button[data-copy]").forEach((copy) => {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const code = document.getElementById(copy.dataset.copy);
      let said = "Copied";
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        select(code);
        said = document.execCommand("copy") ? said : "Selected; press Ctrl+C";
      }
      document.getElementById("said").textContent = said;
      const label = copy.firstChild;
      label.textContent = said;
      setTimeout(() => { label.textContent = "Copy"; }, 2000);
    });
  });
})();
