/** One server-sent event. */
export interface SseEvent {
  event: string
  data: string
}

/**
 * Parses an event stream that arrives in arbitrary pieces: a piece may end inside a line, between \r and \n,
 * or (through the streaming TextDecoder of `readSse`) inside a character.
 */
export class SseParser {
  private rest = ''
  private event = ''
  private data: string[] = []
  private skipLineFeed = false
  private first = true

  push(piece: string): SseEvent[] {
    if (piece === '') return []
    let text = this.rest + piece
    if (this.first) {
      this.first = false
      if (text.startsWith('\uFEFF')) text = text.slice(1)
    }
    const events: SseEvent[] = []
    let from = 0
    for (let i = this.rest.length; i < text.length; i++) {
      const char = text[i]
      if (char === '\n' && this.skipLineFeed) {
        this.skipLineFeed = false
        from = i + 1
        continue
      }
      this.skipLineFeed = false
      if (char !== '\n' && char !== '\r') continue
      this.skipLineFeed = char === '\r'
      this.line(text.slice(from, i), events)
      from = i + 1
    }
    this.rest = text.slice(from)
    return events
  }

  private line(line: string, events: SseEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) events.push({ event: this.event || 'message', data: this.data.join('\n') })
      this.event = ''
      this.data = []
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'event') this.event = value
    else if (field === 'data') this.data.push(value)
  }
}

/** Reads a response body as server-sent events; ends when the body ends, throws when the connection breaks. */
export async function* readSse(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  const reader = body.getReader()
  // `ignoreBOM: true` leaves the mark to the parser, which drops it once, at the start.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const parser = new SseParser()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      yield* parser.push(decoder.decode(value, { stream: true }))
    }
    yield* parser.push(decoder.decode())
  } finally {
    // Leaving the loop early (an answer is complete, the page is left) must close the connection.
    reader.cancel().catch(() => undefined)
  }
}
