import { expected, type Parsed, parsed } from './parsed.ts'

/** Types of TLVs of a PROXY header, version 2, that have a name here; see its specification, section 2.2. */
const types: Record<string, number> = { alpn: 0x01, authority: 0x02, 'unique-id': 0x05, netns: 0x30, aws: 0xea }

/** A name of the table, `0xNN`, or a number from 0 to 255; the result is the type in decimal. */
export function parseTlvType(text: string): Parsed<string> {
  if (Object.hasOwn(types, text)) return parsed(String(types[text]))
  const isNumber = /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(text) && Number(text) <= 255
  return isNumber ? parsed(String(Number(text))) : expected(`the type of a TLV: ${Object.keys(types).join(', ')}, or 0 to 255`, text)
}

/** The name of a type that is given in decimal, or `0xNN` where it has none. */
export function tlvTypeText(type: string): string {
  const name = Object.keys(types).find((key) => types[key] === Number(type))
  return name ?? `0x${Number(type).toString(16).padStart(2, '0')}`
}
