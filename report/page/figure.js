// What stands around every figure and table: its title, a sentence that says how to read it, and how to take it along.
import {button, element, say} from "../../page/dom.js";
import {copy_or_save, file_name, save, standalone, to_csv} from "./saving.js";

/**
 * A figure. `plot` has what is drawn in plot.base; `explain` is text or nodes; `headed` is false where the title stands above; `csv()` gives the rows, heads first, of what
 * is drawn.
 */
export function figure({title, headed = true, explain = null, controls = [], plot, after = [], csv = null}) {
  const name = typeof title === "function" ? title : () => title;
  const told = element("span", {class: "told", role: "status"});
  const buttons = element("div", {class: "buttons take"},
      button("Save as SVG", () => save(file_name(name(), "svg"), "image/svg+xml", standalone(plot.base, name()))),
      csv ? copy_button(csv, name, told) : null, told);
  return element("figure", {}, element("figcaption", {}, headed ? element("h3", {}, name()) : null, explain ? element("p", {class: "note"}, explain) : null),
                 controls.length ? element("div", {class: "controls"}, ...controls) : null, plot.node, ...after, buttons);
}

export function copy_button(csv, name, told) {
  let quiet = 0;
  return button("Copy as CSV", async () => {
    say(told, await copy_or_save(to_csv(csv()), file_name(name(), "csv")));
    clearTimeout(quiet);
    quiet = setTimeout(() => say(told, ""), 4000);
  });
}

/** What can be unfolded. */
export function fold(summary, content, open = false) {
  return element("details", {open}, element("summary", {}, summary), content);
}
