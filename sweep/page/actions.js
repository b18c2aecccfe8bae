// What is done by hand. Each question has its own word, so that asking again after a lost answer changes nothing.
import {button, element} from "../../page/dom.js";
import {confirm_action, open_dialog} from "../../page/dialog.js";
import {get, post, unique_word} from "./client.js";
import {key_of, number, value as shown} from "../../page/format.js";
import {bare} from "./study.js";

export class Actions {
  constructor(context) { this.context = context; }

  get allowed() { return this.context.study.info?.read_only !== true; }

  done = (sentence) => this.context.announce(sentence);

  stop() {
    confirm_action("Stop the sweep", "Nothing new is begun, and the trials that run are stopped with a checkpoint. " +
        "They go on when the sweep is run again.", "Stop", async () => {
      await post("stop", {});
      return "The sweep stops.";
    }, this.done);
  }

  prune(trial) {
    confirm_action(`Prune trial ${trial}`, "It writes a checkpoint at its next report and ends, pruned.", "Prune", async () => {
      await post(`trials/${trial}/prune`, {});
      return `Trial ${trial} is to end.`;
    }, this.done);
  }

  retry(trial) {
    const request = unique_word();
    confirm_action(`Retry trial ${trial}`, "A new trial with the same parameters, from its checkpoint where there is one.", "Retry",
                   async () => {
      const {number: another} = await post(`trials/${trial}/retry`, {request});
      return `Trial ${trial} is tried again as trial ${another}.`;
    }, this.done);
  }

  /** `like`: a trial whose values are filled in. */
  enqueue(like = null) {
    const request = unique_word(), {study} = this.context;
    const fields = study.parameters().filter(({declared}) => declared).map((parameter) => new Field(parameter, like?.parameters));
    const together = () => {
      const values = bare();
      for (const field of fields) field.show(values);
    };
    for (const field of fields) field.input.addEventListener("input", together);
    together();
    const extra = element("div", {class: "fields"}, ...fields.map(({node}) => node));
    confirm_action("Enqueue a trial", "It is tried before others. What is left empty, the sampler chooses.", "Enqueue", async () => {
      const parameters = bare();
      for (const field of fields) {
        if (!field.node.hidden && field.filled) parameters[field.parameter.name] = field.value();
      }
      const {number: another} = await post("enqueue", {request, parameters});
      return `Enqueued as trial ${another}.`;
    }, this.done, extra);
  }

  async best_as_yaml() {
    const text = element("pre", {tabindex: 0}, "…");
    const error = element("p", {class: "error", role: "alert"});
    const copy = button("Copy", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        copy.textContent = "Copied";
      } catch {  // clipboards are for HTTPS and loopback only
        window.getSelection().selectAllChildren(text);
        copy.textContent = "Selected: press Ctrl+C";
      }
    });
    open_dialog("The best configuration, ready to train", element("div", {}, text, error, element("div", {class: "buttons"}, copy)));
    try {
      text.textContent = (await get("best")).yaml;
    } catch (failure) {
      text.hidden = copy.hidden = true;
      error.textContent = failure.message;
    }
  }
}

/** One parameter of the form. */
class Field {
  constructor(parameter, preset) {
    this.parameter = parameter;
    const {name, kind, choices, whole, low, high, step, log} = parameter, given = preset?.[name];
    if (kind === "category") {
      this.input = element("select", {}, element("option", {}, "(sampler's choice)"), ...choices.map((choice) => element("option", {}, shown(choice))));
      if (given !== undefined) this.input.selectedIndex = choices.findIndex((choice) => key_of(choice) === key_of(given)) + 1;
    } else {
      this.input = element("input", {type: "number", min: low, max: high, step: whole && step ? step : "any", placeholder: "sampler's choice"});
      if (given !== undefined) this.input.value = given;
    }
    const range = kind === "category" ? "" : `${number(low)} … ${number(high)}${step && step !== 1 ? ` by ${number(step)}` : ""}${log ? ", log" : ""}`;
    const conditions = Object.entries(parameter.when).map(([other, values]) => `${other} = ${values.map(shown).join(" or ")}`).join(", ");
    this.node = element("label", {class: "field"}, element("span", {class: "field-name"}, name), this.input,
                        element("span", {class: "note"}, [range, conditions && `where ${conditions}`].filter(Boolean).join("; ")));
  }

  get filled() { return this.parameter.kind === "category" ? this.input.selectedIndex > 0 : this.input.value !== ""; }

  value() {
    return this.parameter.kind === "category" ? this.parameter.choices[this.input.selectedIndex - 1] : Number(this.input.value);
  }

  /** Hidden where another field rules it out; `values` are those of the fields before it. */
  show(values) {
    this.node.hidden = !Object.entries(this.parameter.when).every(([other, allowed]) =>
        !(other in values) || (values[other] !== null && (values[other] === undefined || allowed.some((each) => key_of(each) === key_of(values[other])))));
    values[this.parameter.name] = this.node.hidden ? null : this.filled ? this.value() : undefined;
  }
}
