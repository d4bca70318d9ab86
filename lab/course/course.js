(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const parts = all("[data-part]"), cards = all("[data-card]"), slides = all(".slide");
  const stage = at("stage"), present = at("present");
  all(".keys").forEach((line) => { line.hidden = false; });

  // Arrow keys belong to whatever moves by them: sliders, scrolled boxes, the picture of basins.
  const taken = (event) => event.defaultPrevented || event.ctrlKey || event.metaKey
    || event.altKey || event.shiftKey
    || event.target.closest("input, select, textarea, pre, .scroll, .formula, [data-arrows]");

  const step = (by) => {
    const reached = parts.findIndex((part) => part.contains(document.activeElement));
    const seen = parts.filter((part) => part.getBoundingClientRect().top < 80).length - 1;
    const next = (reached >= 0 ? reached : seen) + by;
    if (next >= 0 && next < parts.length) {
      parts[next].querySelector("h2").focus();
      parts[next].scrollIntoView();
    } else if (next < 0 && (reached === 0 || seen === 0)) {
      scrollTo(0, 0);
      document.activeElement.blur();
    } else {
      document.querySelector(next < 0 ? "a[rel=prev]" : "a[rel=next]")?.click();
    }
  };
  const pick = (by) => {
    const reached = cards.indexOf(document.activeElement);
    cards[Math.min(Math.max(reached + by, 0), cards.length - 1)].focus();
  };

  // A slide is the figure itself, moved onto the stage; a comment keeps its place.
  const place = document.createComment("on the stage");
  let shown = -1;
  const putBack = () => {
    if (shown >= 0) place.replaceWith(slides[shown]);
    shown = -1;
  };
  const show = (index) => {
    putBack();
    shown = Math.min(Math.max(index, 0), slides.length - 1);
    const slide = slides[shown];
    slide.before(place);
    at("stage-slide").append(slide);
    const title = at("stage-title"), heading = place.parentNode.querySelector("h2");
    if (slide.dataset.title) title.textContent = slide.dataset.title;
    else title.replaceChildren(...heading.cloneNode(true).childNodes);
    at("stage-count").textContent = `${shown + 1} / ${slides.length}`;
    at("stage-said").textContent = `Slide ${shown + 1} of ${slides.length}: ${title.textContent}`;
    at("stage-back").disabled = shown === 0;
    at("stage-on").disabled = shown === slides.length - 1;
    stage.scrollTop = 0;
  };
  const open = () => {
    const seen = slides.filter((slide) => slide.getBoundingClientRect().top < innerHeight / 2);
    stage.showModal();
    stage.focus();
    show(Math.max(seen.length - 1, 0));
  };
  const keys = {
    ArrowRight: () => show(shown + 1), PageDown: () => show(shown + 1),
    ArrowLeft: () => show(shown - 1), PageUp: () => show(shown - 1),
    Home: () => show(0), End: () => show(slides.length - 1),
  };

  if (stage && slides.length) {
    present.hidden = false;
    present.addEventListener("click", open);
    at("stage-back").addEventListener("click", () => show(shown - 1));
    at("stage-on").addEventListener("click", () => show(shown + 1));
    at("stage-close").addEventListener("click", () => stage.close());
    stage.addEventListener("close", () => {
      const last = slides[shown];
      putBack();
      last?.scrollIntoView({ block: "center", behavior: "instant" });
    });
    if (location.hash === "#present") addEventListener("load", open);
  }
  document.addEventListener("keydown", (event) => {
    if (taken(event)) return;
    if (stage?.open) {
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const by = event.key === "ArrowRight" ? 1 : -1;
      if (parts.length) step(by);
      else if (cards.length) pick(by);
      event.preventDefault();
    } else if (event.key === "p" && stage && slides.length) {
      open();
    }
  });
})();
