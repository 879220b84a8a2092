// What the pages do beyond htmx. Without this file they work as well.
"use strict";

const count = (field) => {
  const shown = document.querySelector(`[data-count="${field.id}"]`);
  if (!shown) return;
  const length = [...field.value].length; // characters, as the server counts them
  shown.textContent = length.toLocaleString("en");
  shown.parentElement.classList.toggle("over", length > Number(field.dataset.charactersMax));
};

for (const field of document.querySelectorAll("[data-characters-max]")) {
  field.addEventListener("input", () => count(field));
  count(field);
}

// An example goes into the field where it stands, and what else was typed stays.
for (const link of document.querySelectorAll("a[data-fills]")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const field = document.getElementById(link.dataset.fills);
    event.preventDefault();
    field.focus();
    field.select();
    // Typed for the person, so that undo brings back what stood there before.
    if (!document.execCommand("insertText", false, link.textContent)) {
      field.value = link.textContent;
    }
    count(field);
  });
}

// Say so when the server does not answer, and take it back when it does.
const lost = document.getElementById("lost");
if (lost) {
  document.addEventListener("htmx:error", () => { lost.hidden = false; });
  document.addEventListener("htmx:after:request", () => { lost.hidden = true; });
}
