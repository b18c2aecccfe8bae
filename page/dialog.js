// Windows over the page: a question before something is done by hand, and what came of it.
import {button, element, say} from "./dom.js";

/** A modal window; Escape and a click beside it close it. */
export function open_dialog(title, content, properties = {}) {
  const close = button("×", () => dialog.close(), {class: "close", "aria-label": "Close"});
  const heading = element("h2", {}, title);
  const dialog = element("dialog", {"aria-label": title, ...properties}, element("div", {class: "dialog-head"}, heading, close), content);
  const before = document.activeElement;
  dialog.addEventListener("close", () => { dialog.remove(); before?.focus?.({preventScroll: true}); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks, does it, and shows what went wrong; the window stays open then. `act()` may return a sentence to be said by the
 * page afterwards.
 */
export function confirm_action(title, question, verb, act, done, extra = null) {
  const error = element("p", {class: "error", role: "alert"});
  const yes = element("button", {type: "submit", class: "primary"}, verb);
  const form = element("form", {method: "dialog"}, question ? element("p", {}, question) : null, extra, error,
                       element("div", {class: "buttons"}, yes, button("Cancel", () => dialog.close())));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say(error, "");
    yes.disabled = true;
    try {
      const sentence = await act();
      dialog.close();
      done(sentence);
    } catch (failure) {
      say(error, failure.message);
      yes.disabled = false;
      yes.focus();
    }
  });
  const dialog = open_dialog(title, form, {class: "narrow"});
  (extra?.querySelector("input, select") ?? yes).focus();
}
