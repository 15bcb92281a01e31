/** A span of a JavaScript string, in UTF-16 units. */
export interface Range {
  start: number
  end: number
}

/** The server counts code points; JavaScript counts UTF-16 units. They differ after 𠮷 and its like. */
export function unitOffset(text: string, codePoints: number): number {
  let units = 0
  for (let n = 0; n < codePoints && units < text.length; n++) {
    units += text.codePointAt(units)! > 0xffff ? 2 : 1
  }
  return units
}

export function codePointLength(text: string): number {
  let n = 0
  for (const _ of text) n++
  return n
}

export interface Quote {
  /** Code point offsets in the document. */
  start: number
  end: number
  quote: string
}

/**
 * Where a quotation lies in a clause. The offsets are believed only when the text there is the quotation (or the
 * part of it that falls into this clause); otherwise it is searched for, first exactly, then without white space,
 * since a document may have been imported anew after the answer was given.
 */
export function locateQuote(clauseText: string, clauseStart: number, quote: Quote): Range | null {
  const byOffset = locateByOffset(clauseText, clauseStart, quote)
  return byOffset ?? findText(clauseText, quote.quote)
}

function locateByOffset(clauseText: string, clauseStart: number, quote: Quote): Range | null {
  const from = Math.max(0, quote.start - clauseStart)
  const to = quote.end - clauseStart
  if (to <= from) return null
  const start = unitOffset(clauseText, from)
  const end = unitOffset(clauseText, to)
  const found = clauseText.slice(start, end)
  if (found === '' || !quote.quote.includes(found)) return null
  // A single shared character proves nothing, unless it is all that was quoted.
  if (found !== quote.quote && found.length < Math.min(8, quote.quote.length)) return null
  return { start, end }
}

/** The first place of `needle`, exact or differing only in white space. */
export function findText(text: string, needle: string): Range | null {
  const wanted = needle.trim()
  if (wanted === '') return null
  const exact = text.indexOf(wanted)
  if (exact >= 0) return { start: exact, end: exact + wanted.length }
  const { squeezed, origin } = squeeze(text)
  const bare = squeeze(wanted).squeezed
  const at = squeezed.indexOf(bare)
  if (bare === '' || at < 0) return null
  return { start: origin[at]!, end: origin[at + bare.length - 1]! + 1 }
}

function squeeze(text: string): { squeezed: string; origin: number[] } {
  let squeezed = ''
  const origin: number[] = []
  for (let i = 0; i < text.length; i++) {
    if (/\s/.test(text[i]!)) continue
    squeezed += text[i]
    origin.push(i)
  }
  return { squeezed, origin }
}

/** The server matches words and their single characters; a part of a longer match says nothing of its own. */
export function wholeTokens(tokens: string[]): string[] {
  const trimmed = tokens.map((t) => t.trim()).filter((t) => t !== '')
  return trimmed.filter((token) => !trimmed.some((other) => other.length > token.length && other.includes(token)))
}

/** Every place of every token, overlapping ones merged, in order. */
export function findTokens(text: string, tokens: string[]): Range[] {
  const lower = text.toLowerCase()
  const ranges: Range[] = []
  for (const token of tokens) {
    const wanted = token.trim().toLowerCase()
    if (wanted === '') continue
    for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
      ranges.push({ start: at, end: at + wanted.length })
    }
  }
  return mergeRanges(ranges)
}

export function mergeRanges(ranges: Range[]): Range[] {
  const merged: Range[] = []
  for (const range of [...ranges].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1)
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end)
    else merged.push({ ...range })
  }
  return merged
}

export interface Piece {
  text: string
  lit: boolean
}

/** Cuts text[from..to) into lit and unlit pieces. */
export function pieces(text: string, ranges: Range[], from = 0, to = text.length): Piece[] {
  const result: Piece[] = []
  let at = from
  for (const range of ranges) {
    const start = Math.max(range.start, from)
    const end = Math.min(range.end, to)
    if (end <= start) continue
    if (start > at) result.push({ text: text.slice(at, start), lit: false })
    result.push({ text: text.slice(start, end), lit: true })
    at = end
  }
  if (at < to) result.push({ text: text.slice(at, to), lit: false })
  return result
}
