import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import { api } from '@/api/client'
import { ApiError, isAbort, toApiError } from '@/api/errors'
import type { Answer, AskEvent, Citation, Point, Segment, Step, Turn } from '@/api/types'
import { useHistory } from './history'
import { usePanel } from './panel'

/** A question with its answer, finished or still arriving. */
export interface LiveTurn {
  key: string
  question: string
  state: 'streaming' | 'done' | 'stopped' | 'failed'
  steps: Step[]
  segments: Segment[]
  points: Point[]
  citations: Citation[]
  answer: Answer | null
  error: ApiError | null
  trace: string | null
}

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

  async function ask(question: string): Promise<void> {
    if (streaming.value) return
    usePanel().closeUnlessPinned()
    const turn = newTurn(question)
    turns.value.push(turn)
    const own = new AbortController()
    controller.value = own
    try {
      const input = { question, ...(session.value ? { session: session.value } : {}) }
      finish(turn, await api.ask(input, (event) => receive(turn, event), own.signal))
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
    await ask(turn.question)
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
      const loaded = await api.session(id, own.signal)
      title.value = loaded.title
      turns.value = loaded.turns.map(pastTurn)
      loading.value = false
    } catch (thrown) {
      if (isAbort(thrown)) return
      error.value = toApiError(thrown)
      loading.value = false
    }
  }

  return { session, title, turns, loading, error, scrollTop, streaming, ask, stop, retry, reset, open }
})
