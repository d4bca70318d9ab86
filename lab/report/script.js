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
  const show = () => {
    const mode = chosen || (system.matches ? "dark" : "light");
    root.dataset.theme = mode;
    sources.forEach((source) => { source.media = mode === "dark" ? "screen" : "not all"; });
    button.textContent = mode === "dark" ? "Light theme" : "Dark theme";
    link();
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
