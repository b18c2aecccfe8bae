// Elements, made by hand. Text only ever goes in as text: whatever a study or a run holds, none of it becomes markup.

const kSvg = "http://www.w3.org/2000/svg";

function fill(node, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (key === "look") {
      for (const [name, setting] of Object.entries(value)) node.style.setProperty(name, setting);
    } else {
      node.setAttribute(key, value === true ? "" : String(value));
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element: attributes, {on: {event: listener}}, {look: {css-property: value}}, and children (nodes or text). */
export function element(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children.map(textual));
}

/** The same for SVG. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(kSvg, tag), properties, children.map(textual));
}

function textual(child) {
  return typeof child === "number" ? String(child) : child;
}

export function button(text, press, properties = {}) {
  return element("button", {type: "button", ...properties, on: {click: press}}, text);
}

/** A <select> of [value, text] pairs; `choose` is told the index. */
export function choice(label, options, chosen, choose, properties = {}) {
  const select = element("select", {on: {change: () => choose(select.selectedIndex)}, ...properties});
  set_options(select, options, chosen);
  return {node: element("label", {class: "choice"}, element("span", {}, label), select), select};
}

/** Only where something differs, since a list that is open would close. */
export function set_options(select, options, chosen) {
  const same = select.length === options.length && options.every((text, i) => select.options[i].textContent === text);
  if (!same) select.replaceChildren(...options.map((text) => element("option", {}, text)));
  if (select.selectedIndex !== chosen) select.selectedIndex = chosen;
}

/** A button that is either on or off. */
export function toggle(text, pressed, change, properties = {}) {
  const node = button(text, () => {
    const now = node.getAttribute("aria-pressed") !== "true";
    node.setAttribute("aria-pressed", String(now));
    change(now);
  }, {class: "toggle", "aria-pressed": String(pressed), ...properties});
  return node;
}

/** Sets the text where it differs, so that screen readers and selections are left in peace. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
