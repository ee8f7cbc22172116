"use strict";
document.documentElement.classList.remove("no-script");

// One slider for all crops; what lies in the middle of a crop stays there.
const slider = document.getElementById("zoom");
const views = [...document.querySelectorAll(".view")];
for (const view of views) {
  view.scrollLeft = (view.scrollWidth - view.clientWidth) / 2;
  view.scrollTop = (view.scrollHeight - view.clientHeight) / 2;
}
if (slider) {
  const shown = document.getElementById("zoom-value");
  slider.addEventListener("input", () => {
    const centres = views.map((view) => [
      (view.scrollLeft + view.clientWidth / 2) / view.scrollWidth,
      (view.scrollTop + view.clientHeight / 2) / view.scrollHeight,
    ]);
    document.documentElement.style.setProperty("--zoom", slider.value);
    shown.value = `${Number(slider.value)}×`;
    slider.setAttribute("aria-valuetext", `${Number(slider.value)} times`);
    views.forEach((view, index) => {
      view.scrollLeft = centres[index][0] * view.scrollWidth - view.clientWidth / 2;
      view.scrollTop = centres[index][1] * view.scrollHeight - view.clientHeight / 2;
    });
  });
}

// The crops of a strip are moved together, by wheel, touch, keys or drag.
for (const strip of document.querySelectorAll(".strip")) {
  const own = [...strip.querySelectorAll(".view")];
  for (const view of own) {
    view.addEventListener("scroll", () => {
      for (const other of own) {
        if (other !== view && (other.scrollLeft !== view.scrollLeft || other.scrollTop !== view.scrollTop)) {
          other.scrollLeft = view.scrollLeft;
          other.scrollTop = view.scrollTop;
        }
      }
    });
    view.addEventListener("pointermove", (event) => {
      if (event.buttons === 1 && event.pointerType === "mouse") {
        view.scrollLeft -= event.movementX;
        view.scrollTop -= event.movementY;
      }
    });
  }
}
