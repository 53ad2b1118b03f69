/** Blocks of a PEM text (RFC 7468); what stands between them is passed over. */
export interface PemBlock {
  /** Such as `CERTIFICATE` or `EC PRIVATE KEY`. */
  label: string
  /** The block itself, with its two boundary lines. */
  text: string
}

export function pemBlocks(text: string): PemBlock[] {
  const pattern = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g
  return [...text.matchAll(pattern)].map(([block, label]) => ({ label: label as string, text: `${block}\n` }))
}

/** All certificates of a text, in their order, and nothing else. */
export function certificateBlocks(text: string): string[] {
  return pemBlocks(text).flatMap(({ label, text: block }) => (/^(X509 )?CERTIFICATE$/.test(label) ? [block] : []))
}
