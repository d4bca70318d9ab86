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
  const playing = new Map();  // a figure's button: the moving picture in place of the still one
  const stop = (play) => {
    playing.get(play).remove();
    playing.delete(play);
    play.closest("figure").querySelector("picture").hidden = false;
    play.firstChild.textContent = "▶ Play";
    play.setAttribute("aria-pressed", "false");
  };
  const start = (play) => {
    const figure = play.closest("figure");
    const { href, dataset } = figure.querySelector("a[data-moving]");
    const box = document.createElement("div");
    box.className = "moving";
    const image = box.appendChild(document.createElement("img"));
    image.alt = figure.querySelector("picture img").alt;
    image.src = root.dataset.theme === "dark" ? dataset.moving : href;
    figure.querySelector("picture").after(box);
    figure.querySelector("picture").hidden = true;
    playing.set(play, box);
    play.firstChild.textContent = "■ Stop";
    play.setAttribute("aria-pressed", "true");
  };
  document.querySelectorAll("button[data-play]").forEach((play) => {
    play.hidden = false;
    play.addEventListener("click", () => { (playing.has(play) ? stop : start)(play); });
  });
  addEventListener("beforeprint", () => [...playing.keys()].forEach(stop));
  const show = () => {
    const mode = chosen || (system.matches ? "dark" : "light");
    root.dataset.theme = mode;
    sources.forEach((source) => { source.media = mode === "dark" ? "screen" : "not all"; });
    button.textContent = mode === "dark" ? "Light theme" : "Dark theme";
    link();
    [...playing.keys()].forEach((play) => { stop(play); start(play); });
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
