// Figures as SVG files and tables as CSV.
import {element} from "../../page/dom.js";

// What a picture needs of the style sheet once it stands alone.
const kLooks = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "stroke-opacity",
                "opacity", "paint-order", "font-size", "font-family", "font-weight", "text-anchor", "shape-rendering"];

/** An SVG document of the figure as it is, in the colours of a light page. */
export function standalone(figure, title) {
  const root = document.documentElement, before = root.dataset.theme;
  root.dataset.theme = "light";  // restored before anything is painted
  const copy = figure.cloneNode(true);
  copy_looks(figure, copy);
  const back = getComputedStyle(document.body).getPropertyValue("--card").trim() || "#fff";
  if (before === undefined) delete root.dataset.theme; else root.dataset.theme = before;
  const [, , width, height] = (figure.getAttribute("viewBox") ?? "0 0 600 300").split(" ");
  copy.removeAttribute("class");
  copy.removeAttribute("aria-hidden");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const rectangle = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rectangle.setAttribute("width", width);
  rectangle.setAttribute("height", height);
  rectangle.setAttribute("fill", back);
  const name = document.createElementNS("http://www.w3.org/2000/svg", "title");
  name.textContent = title;
  copy.prepend(name, rectangle);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}

function copy_looks(from, to) {
  const style = getComputedStyle(from);
  to.removeAttribute("class");
  to.setAttribute("style", kLooks.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
  for (let i = 0; i < from.children.length; ++i) copy_looks(from.children[i], to.children[i]);
}

export function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  const link = element("a", {href: address, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** A file's name from a title. */
export function file_name(title, extension) {
  const name = title.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").toLowerCase().slice(0, 60);
  return `${name || "figure"}.${extension}`;
}

/** RFC 4180. A cell that a spreadsheet would take for a formula is kept from being one. */
export function to_csv(rows) {
  const cell = (value) => {
    let text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text) && !/^-?\d/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** To the clipboard; where the browser keeps a page from it, to a file. Returns what was done. */
export async function copy_or_save(text, name) {
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    save(name, "text/csv", text);
    return "saved as a file";
  }
}
