// Tables whose rows stay while their things stay. On a narrow screen each row becomes a block with the titles inside; the roles are
// written out because browsers forget them when rows are no longer laid out as rows.
import { element, Items, setAttribute, setText } from './dom.js'

/**
 * `columns`: `{ title, label, isNumber, className, make }`, where `make()` answers `{ node, update(item) }` for cells that are more than the text
 * `text(item)`; the first column names the row. `tone(item)` colours a whole cell. Answers `{ node, update(items) }`.
 */
export function table({ caption, columns, keyOf }) {
  const heads = columns.map(({ title, isNumber }) =>
    element('th', { scope: 'col', role: 'columnheader', class: isNumber ? 'number' : '', text: title }),
  )
  const head = element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads))
  const body = element('tbody', { role: 'rowgroup' })
  const node = element('table', { role: 'table' }, element('caption', { class: 'hidden', text: caption }), head, body)
  const rows = new Items(body, () => row(columns))
  return { node, update: (items) => rows.update(items, keyOf) }
}

function row(columns) {
  const cells = columns.map(cell)
  return {
    node: element('tr', { role: 'row' }, ...cells.map(({ node }) => node)),
    update: (item) => cells.forEach((each) => each.update(item)),
  }
}

function cell({ title, isNumber, className = '', make, text, tone }, index) {
  const name = index === 0 ? { scope: 'row', role: 'rowheader' } : { role: 'cell', 'data-title': title }
  const node = element(index === 0 ? 'th' : 'td', { ...name, class: `${isNumber ? 'number ' : ''}${className}`.trim() })
  const content = make?.()
  if (content !== undefined) node.append(...[content.node].flat())
  return {
    node,
    update(item) {
      if (content === undefined) setText(node, text(item))
      else content.update(item)
      if (tone !== undefined) setAttribute(node, 'data-tone', tone(item))
    },
  }
}
