// Making and changing what stands on the page. Data gets in as text and as attribute values, never as markup, so that no name of a
// server or route can become part of the page's code.

const SVG = 'http://www.w3.org/2000/svg'

/** The element of index.html with this id. */
export function byId(id) {
  return document.getElementById(id)
}

/** A new element; `text` becomes its text, everything else an attribute. */
export function element(tag, { text, ...attributes } = {}, ...children) {
  return furnish(document.createElement(tag), text, attributes, children)
}

/** The same for a part of a picture. */
export function picture(tag, { text, ...attributes } = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), text, attributes, children)
}

function furnish(node, text, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  if (text !== undefined) node.textContent = text
  node.append(...children)
  return node
}

/** Touches the page only where something changes, so that a selection or a reader's place in it survives. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** The same for an attribute; null takes it away. */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name)
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}

/** The same for whether it is there. */
export function show(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown
}

/**
 * A list of elements, one for each item, which stay the same elements while their items stay: a button that has the focus keeps it.
 * `make` answers `{ node, update(item) }`.
 */
export class Items {
  #parent
  #make
  #made = new Map()

  constructor(parent, make) {
    this.#parent = parent
    this.#make = make
  }

  update(items, keyOf) {
    const gone = new Map(this.#made)
    items.forEach((item, index) => {
      const key = keyOf(item)
      const made = this.#made.get(key) ?? this.#add(key, item)
      gone.delete(key)
      made.update(item)
      const there = this.#parent.children[index] ?? null
      if (there !== made.node) this.#parent.insertBefore(made.node, there)
    })
    for (const [key, { node }] of gone) {
      this.#made.delete(key)
      node.remove()
    }
  }

  #add(key, item) {
    const made = this.#make(item)
    this.#made.set(key, made)
    return made
  }
}
