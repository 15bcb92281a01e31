import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import { api } from '@/api/client'
import { ApiError, isAbort, toApiError } from '@/api/errors'
import type { Answer, AskEvent, AskInput, Citation, Guide, Point, Segment, Session, Step, Turn } from '@/api/types'
import { readStored, writeStored } from '@/composables/stored'
import { guideAt, touched } from '@/text/guide'
import { useHistory } from './history'
import { usePanel } from './panel'
import { useSession } from './session'

/** A question with its answer, finished or still arriving. */
export interface LiveTurn {
  key: string
  question: string
  state: 'streaming' | 'done' | 'stopped' | 'failed'
  steps: Step[]
  segments: Segment[]
  points: Point[]
  citations: Citation[]
  /** The guided dialogue as it stood after this question. */
  guide: Guide | null
  /** Fields filled in place, sent again with the question. */
  fill: Record<string, string> | null
  answer: Answer | null
  error: ApiError | null
  trace: string | null
}

const BEGUN = 'citymind.begun'
let keys = 0

function newTurn(question: string): LiveTurn {
  return reactive({
    key: `live-${++keys}`,
    question,
    state: 'streaming',
    steps: [],
    segments: [],
    points: [],
    citations: [],
    guide: null,
    fill: null,
    answer: null,
    error: null,
    trace: null,
  })
}

function pastTurn(turn: Turn): LiveTurn {
  const done = newTurn(turn.question)
  done.key = turn.id
  finish(done, turn.answer)
  return done
}

function finish(turn: LiveTurn, answer: Answer): void {
  turn.answer = answer
  // A question back or a note may come as words only.
  turn.segments =
    answer.segments.length > 0 || answer.answer === '' ? answer.segments : [{ text: answer.answer, citations: [] }]
  turn.points = answer.points
  turn.citations = answer.citations
  turn.guide = answer.guide ?? null
  turn.trace = answer.trace
  turn.state = 'done'
}

/**
 * The conversation on the screen. It lives outside the page, so that an answer goes on arriving while the reader
 * looks at the original, and is there on the way back.
 */
export const useConversation = defineStore('conversation', () => {
  const session = ref<string | null>(null)
  const title = ref('')
  const turns = ref<LiveTurn[]>([])
  const loading = ref(false)
  const error = ref<ApiError | null>(null)
  const scrollTop = ref(0)
  const controller = shallowRef<AbortController | null>(null)
  const streaming = computed(() => controller.value !== null)
  let opening: AbortController | null = null

  // The turn whose dialogue is shown, and what the last message changed in it.
  const guiding = computed(() => guideAt(turns.value))
  const flashed = computed(() => touched(turns.value))

  async function ask(question: string, fill: Record<string, string> | null = null): Promise<void> {
    if (streaming.value) return
    usePanel().closeUnlessPinned()
    const turn = newTurn(question)
    turn.fill = fill
    turns.value.push(turn)
    const own = new AbortController()
    controller.value = own
    try {
      const input: AskInput = { question }
      if (session.value) input.session = session.value
      if (fill) input.fill = fill
      finish(turn, await api.ask(input, (event) => receive(turn, event), own.signal))
      if (readStored<string>(BEGUN, '') !== '') writeStored(BEGUN, '')
    } catch (thrown) {
      if (isAbort(thrown)) turn.state = 'stopped'
      else {
        turn.state = 'failed'
        turn.error = toApiError(thrown)
      }
    } finally {
      if (controller.value === own) controller.value = null
      void useHistory().refresh()
    }
  }

  /** Fills a field of the form in place; resolves to what is wrong with the answer, if anything. */
  async function fillField(field: string, label: string, value: string): Promise<string | null> {
    if (streaming.value) return '上一步还没有完成，请稍候。'
    await ask(`${label}：${value}`, { [field]: value })
    const turn = turns.value.at(-1)
    if (turn?.state !== 'failed') return null
    // What was typed stays in its row, with the reason: no turn of the talk is needed for it.
    turns.value = turns.value.filter((t) => t !== turn)
    return turn.error?.detail || turn.error?.title || '没有保存，请再试一次。'
  }

  /** Leaves the dialogue that can't be gone on with, and begins another. */
  async function switchTo(item: string): Promise<void> {
    await ask('不办了')
    if (turns.value.at(-1)?.state === 'done') await ask(`我要办理“${item}”`)
  }

  function receive(turn: LiveTurn, message: AskEvent): void {
    switch (message.event) {
      case 'accepted':
        // The page may have moved on to another conversation while this request was on its way.
        if (turns.value.includes(turn)) {
          session.value = message.data.session
          title.value ||= turn.question
        }
        turn.trace = message.data.trace
        break
      case 'step':
        turn.steps.push(message.data)
        break
      case 'citation':
        turn.citations.push(message.data)
        break
      case 'segment':
        turn.segments.push(message.data)
        break
      case 'point':
        turn.points.push(message.data)
        break
      case 'guide':
        turn.guide = message.data
        break
    }
  }

  function stop(): void {
    controller.value?.abort()
    controller.value = null
  }

  /** Asks the failed or stopped question again, in its place. */
  async function retry(turn: LiveTurn): Promise<void> {
    if (streaming.value) return
    turns.value = turns.value.filter((t) => t.key !== turn.key)
    await ask(turn.question, turn.fill)
  }

  function reset(): void {
    stop()
    opening?.abort()
    usePanel().closeUnlessPinned()
    session.value = null
    title.value = ''
    turns.value = []
    loading.value = false
    error.value = null
    scrollTop.value = 0
  }

  async function open(id: string): Promise<void> {
    reset()
    session.value = id
    const own = new AbortController()
    opening = own
    loading.value = true
    try {
      const loaded = await begun(id, own.signal)
      title.value = loaded.title
      turns.value = loaded.turns.map(pastTurn)
      loading.value = false
    } catch (thrown) {
      if (isAbort(thrown)) return
      error.value = toApiError(thrown)
      loading.value = false
    }
  }

  /** A conversation that was begun without a sign-in becomes the account's with the next message: this one. */
  async function begun(id: string, signal: AbortSignal): Promise<Session> {
    const account = useSession()
    if (readStored<string>(BEGUN, '') === id) {
      await account.known()
      if (account.signedIn) {
        writeStored(BEGUN, '')
        await api.ask({ question: '继续办理', session: id }, () => undefined, signal)
      }
    }
    return api.session(id, signal)
  }

  /** Whoever signs in elsewhere to hand in a form comes back to it. */
  function remember(): void {
    if (session.value) writeStored(BEGUN, session.value)
  }

  return { session, title, turns, loading, error, scrollTop, streaming, guiding, flashed, ask, switchTo, fillField, stop, retry, reset, open, remember }
})
