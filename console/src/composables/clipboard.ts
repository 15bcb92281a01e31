import { useToasts } from '@/stores/toasts'

/** Copies text. A console served without TLS inside an office has no clipboard API, hence the second way. */
export async function copyText(text: string, done: string): Promise<void> {
  const toasts = useToasts()
  if (await write(text)) toasts.success(done)
  else toasts.show('浏览器不允许复制，请手动选择文字。', { kind: 'error' })
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.style.position = 'fixed'
    area.style.opacity = '0'
    document.body.append(area)
    area.select()
    const copied = document.execCommand('copy')
    area.remove()
    return copied
  }
}
