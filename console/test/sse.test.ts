import { describe, expect, it } from 'vitest'
import { type SseEvent, SseParser, readSse } from '@/api/sse'

const STREAM =
  ': 心跳\n' +
  'event: accepted\ndata: {"session":"s1"}\n\n' +
  'event: segment\r\ndata: {"text":"二孩家庭𠮷，可以领取5000元。"}\r\n\r\n' +
  'data: 第一行\rdata: 第二行\r\r' +
  'event: done\ndata:{"answer":"完"}\n\n'

const EVENTS: SseEvent[] = [
  { event: 'accepted', data: '{"session":"s1"}' },
  { event: 'segment', data: '{"text":"二孩家庭𠮷，可以领取5000元。"}' },
  { event: 'message', data: '第一行\n第二行' },
  { event: 'done', data: '{"answer":"完"}' },
]

function body(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

async function all(chunks: Uint8Array[]): Promise<SseEvent[]> {
  const events: SseEvent[] = []
  for await (const event of readSse(body(chunks))) events.push(event)
  return events
}

describe('readSse', () => {
  const bytes = new TextEncoder().encode(STREAM)

  it('reads a stream that comes in one piece', async () => {
    expect(await all([bytes])).toEqual(EVENTS)
  })

  it('reads the same when cut in two at any byte, within characters too', async () => {
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await all([bytes.slice(0, cut), bytes.slice(cut)]), `cut at ${cut}`).toEqual(EVENTS)
    }
  })

  it('reads the same when every byte comes alone', async () => {
    expect(await all([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(EVENTS)
  })

  it('drops a byte order mark at the start', async () => {
    expect(await all([Uint8Array.of(0xef, 0xbb), Uint8Array.of(0xbf), bytes])).toEqual(EVENTS)
  })

  it('does not deliver an event whose closing blank line never came', async () => {
    expect(await all([new TextEncoder().encode('event: segment\ndata: {"text":"断')])).toEqual([])
  })

  it('closes the connection when the reader leaves early', async () => {
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
      cancel: () => {
        cancelled = true
      },
    })
    for await (const _ of readSse(endless)) break
    expect(cancelled).toBe(true)
  })
})

describe('SseParser', () => {
  it('keeps no event name for the next event', () => {
    expect(new SseParser().push('event: a\ndata: 1\n\ndata: 2\n\n')).toEqual([
      { event: 'a', data: '1' },
      { event: 'message', data: '2' },
    ])
  })

  it('ignores an event without data and fields it does not know', () => {
    expect(new SseParser().push('event: a\n\nid: 7\nretry: 10\ndata: x\n\n')).toEqual([{ event: 'message', data: 'x' }])
  })
})
