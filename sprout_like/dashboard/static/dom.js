// Elements, made without ever reading a text as HTML: whatever a model, a tag or a task is called is shown as it is.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; what is null among them is left out. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Likewise, of an SVG. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** Puts other children below an element's heading; those that were there stay as they are, and keep the focus. */
export function show(section, ...children) {
  const wanted = [section.querySelector(":scope > h2"), ...children.flat()].filter((child) => child !== null);
  for (const old of [...section.childNodes]) {
    if (!wanted.includes(old)) old.remove();
  }
  for (const [n, child] of wanted.entries()) {
    if (section.childNodes[n] !== child) section.insertBefore(child, section.childNodes[n] ?? null);
  }
}

/** A table; `columns` are {name, number} and rows are texts or elements in the same order. */
export function table(columns, rows, { stack = false } = {}) {
  const head = columns.map((column) => el("th", { scope: "col", class: column.number ? "number" : null }, column.name));
  const body = rows.map((row) => el("tr", {}, ...row.map((cell, n) =>
    el("td", { class: columns[n].number ? "number" : null, "data-name": stack ? columns[n].name : null }, cell))));
  return el("table", { class: stack ? "stack" : null }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}
