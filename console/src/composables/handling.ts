import { useRouter } from 'vue-router'
import { useConversation } from '@/stores/conversation'

/** From a page about an item to the talk: to apply for it, or to ask about it. */
export function useHandling() {
  const conversation = useConversation()
  const router = useRouter()

  async function ask(question: string): Promise<void> {
    conversation.reset()
    await router.push('/')
    void conversation.ask(question)
  }

  return { ask, begin: (item: string) => ask(`我要办理“${item}”`) }
}
