import type { KeyView } from '@/api/types'

export type KeyState = 'active' | 'expired' | 'revoked'

export function keyState(key: Pick<KeyView, 'revoked_at' | 'expires_at'>, now = new Date()): KeyState {
  if (key.revoked_at) return 'revoked'
  if (key.expires_at && new Date(key.expires_at) <= now) return 'expired'
  return 'active'
}

const STATE: Record<KeyState, string> = { active: '可用', expired: '已到期', revoked: '已吊销' }
export const keyStateLabel = (state: KeyState) => STATE[state]
