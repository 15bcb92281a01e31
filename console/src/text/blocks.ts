import type { Range } from './quote'

/** A clause as it is set: paragraphs, and tables written with pipes. Every part keeps its place in the text. */
export type Block = ({ type: 'paragraph' } & Range) | { type: 'table'; head: Range[]; rows: Range[][] }

interface Line extends Range {
  text: string
}

/** The label of a clause, unless its first line says it already, as in “问：…？” and “第三条 …”. */
export function shownLabel(clause: { kind: string; label: string; text: string }): string {
  // The front matter is recognised as what it is.
  if (clause.kind === 'front') return ''
  const first = clause.text.trimStart().split('\n', 1)[0] ?? ''
  return first.includes(clause.label) ? '' : clause.label
}

/** Lines that the page says above already, such as the title; white space does not count. */
export function isRepeated(line: string, said: string[]): boolean {
  const bare = (text: string) => text.replace(/[\s#]/g, '')
  return said.some((text) => bare(text) === bare(line))
}

export function blocks(text: string): Block[] {
  const lines = splitLines(text)
  const result: Block[] = []
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    const rule = lines[i + 1]
    if (isRow(line.text) && rule && isRule(rule.text)) {
      const rows: Range[][] = []
      let next = i + 2
      while (next < lines.length && isRow(lines[next]!.text)) rows.push(cells(lines[next++]!))
      result.push({ type: 'table', head: cells(line), rows })
      i = next - 1
    } else if (line.text.trim() !== '') {
      result.push({ type: 'paragraph', start: line.start, end: line.end })
    }
  }
  return result
}

function splitLines(text: string): Line[] {
  const lines: Line[] = []
  let start = 0
  for (const part of text.split('\n')) {
    lines.push({ text: part, start, end: start + part.length })
    start += part.length + 1
  }
  return lines
}

/** Quoted words within running text: no empty lines, and a row of a table without its pipes. */
export function runningText(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !isRule(line))
  return lines.map((line) => (isRow(line) ? rowText(line) : line.trimEnd())).join('\n').trim()
}

const rowText = (line: string) =>
  cells({ text: line, start: 0, end: line.length })
    .map((cell) => line.slice(cell.start, cell.end))
    .filter((cell) => cell !== '')
    .join('，')

const isRow = (line: string) => /^\s*\|.*\|\s*$/.test(line)
const isRule = (line: string) => /^\s*\|(\s*:?-+:?\s*\|)+\s*$/.test(line)

function cells(line: Line): Range[] {
  const found: Range[] = []
  let from = line.text.indexOf('|') + 1
  for (let i = from; i < line.text.length; i++) {
    if (line.text[i] !== '|' || line.text[i - 1] === '\\') continue
    found.push(trimmed(line, from, i))
    from = i + 1
  }
  return found
}

function trimmed(line: Line, from: number, to: number): Range {
  while (from < to && /\s/.test(line.text[from]!)) from++
  while (to > from && /\s/.test(line.text[to - 1]!)) to--
  return { start: line.start + from, end: line.start + to }
}
