/** Places for labels at the ends of lines. Pure. */

export interface Wish {
  text: string
  /** Where it would like its middle to be. */
  y: number
}

/**
 * Moves labels apart by `height` at least, as little as possible in sum, and keeps them between `top` and `bottom` where they all fit.
 * Order is that of the wishes from top to bottom. Answers a y for each, in the order given.
 */
export function spreadOut(wishes: readonly Wish[], height: number, top: number, bottom: number): number[] {
  const order = wishes.map((_, index) => index).toSorted((a, b) => (wishes[a]?.y ?? 0) - (wishes[b]?.y ?? 0))
  // Labels that would overlap become one block around the mean of what they wish.
  const blocks: { members: number[]; middle: number }[] = []
  for (const index of order) {
    let block = { members: [index], middle: wishes[index]?.y ?? 0 }
    for (let above = blocks.at(-1); above && overlap(above, block, height); above = blocks.at(-1)) {
      blocks.pop()
      const members = [...above.members, ...block.members]
      block = { members, middle: within(mean(members.map((one) => wishes[one]?.y ?? 0)), members.length, height, top, bottom) }
    }
    block.middle = within(block.middle, block.members.length, height, top, bottom)
    blocks.push(block)
  }
  const places = new Array<number>(wishes.length).fill(0)
  for (const { members, middle } of settled(blocks, height, top, bottom)) {
    for (const [place, index] of members.entries()) places[index] = middle + (place - (members.length - 1) / 2) * height
  }
  return places
}

/** Clamping at the ends may have brought blocks together again: once more down, then up. */
function settled(
  blocks: readonly { members: number[]; middle: number }[],
  height: number,
  top: number,
  bottom: number,
): { members: number[]; middle: number }[] {
  const placed = blocks.map((block) => ({ ...block }))
  let edge = top
  for (const block of placed) {
    const half = (block.members.length * height) / 2
    block.middle = Math.max(block.middle, edge + half)
    edge = block.middle + half
  }
  edge = Math.max(bottom, top + placed.reduce((sum, { members }) => sum + members.length, 0) * height)
  for (const block of placed.toReversed()) {
    const half = (block.members.length * height) / 2
    block.middle = Math.min(block.middle, edge - half)
    edge = block.middle - half
  }
  return placed
}

function overlap(above: { members: number[]; middle: number }, below: { members: number[]; middle: number }, height: number): boolean {
  return below.middle - above.middle < ((above.members.length + below.members.length) * height) / 2
}

function within(middle: number, count: number, height: number, top: number, bottom: number): number {
  const half = (count * height) / 2
  return Math.min(Math.max(middle, top + half), Math.max(top + half, bottom - half))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
