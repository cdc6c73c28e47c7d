// What the pages do beyond links and forms. Everything works without it.
"use strict";

// Close the menu of the phone and the person's panel with Escape.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.person[open]").forEach((panel) => {
    panel.open = false;
    panel.querySelector("summary").focus();
  });
  if (location.hash === "#menu") location.hash = "#content";
});

// A click beside the open panel closes it.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.person[open]").forEach((panel) => {
    if (!panel.contains(event.target)) panel.open = false;
  });
});

// A filter takes effect when it is chosen; the button stays for those without a script.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submit-on-change]");
  if (form && event.target.matches("select, input[type=date], input[type=month]")) {
    form.requestSubmit();
  }
});

// Ask once before what has consequences, in the words of the consequence.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  // A second click must not send the form again; the back button brings the buttons back.
  if (event.target.method === "post") {
    setTimeout(() => event.target.querySelectorAll("button:not([type=button])").forEach((button) => {
      button.disabled = true;
    }));
  }
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelectorAll("form button[disabled]").forEach((button) => (button.disabled = false));
});

// The session ended while a fragment was asked for: show the login page, not a login in a table.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = new URL(event.detail.pathInfo.requestPath, location.href).pathname;
  const answered = new URL(event.detail.xhr.responseURL || location.href).pathname;
  if (answered !== asked && answered.startsWith("/login")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

// A figure in the text lights up its cell, and the cell its figure.
const lightUp = () => {
  document.querySelectorAll(".is-lit").forEach((element) => element.classList.remove("is-lit"));
  const name = decodeURIComponent(location.hash.slice(1));
  if (!name) return;
  document.querySelectorAll(".figure-link").forEach((link) => {
    if (link.hash === location.hash) link.classList.add("is-lit");
  });
};
window.addEventListener("hashchange", lightUp);
lightUp();
