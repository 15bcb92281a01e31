import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Question {
  title: string
  text: string
  /** What the button that does it says. */
  action: string
  danger?: boolean
}

/** The one question before something that can't be undone; it names the thing. */
export const useConfirm = defineStore('confirm', () => {
  const question = ref<Question | null>(null)
  let resolve: ((yes: boolean) => void) | null = null

  function ask(next: Question): Promise<boolean> {
    resolve?.(false)
    question.value = next
    return new Promise((done) => (resolve = done))
  }

  function answer(yes: boolean): void {
    question.value = null
    resolve?.(yes)
    resolve = null
  }

  return { question, ask, answer }
})
