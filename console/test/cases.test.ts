import { describe, expect, it } from 'vitest'
import { deadline, rowVerdict, stepped } from '@/text/cases'
import { byFile, isItemFile } from '@/text/items'

describe('cases', () => {
  it('say how pressing they are', () => {
    expect(deadline(-2)).toEqual({ text: '超期 2 天', tone: 'bad' })
    expect(deadline(0).tone).toBe('bad')
    expect(deadline(2).tone).toBe('caution')
    expect(deadline(9)).toEqual({ text: '还剩 9 天', tone: '' })
    expect(deadline(null).text).toBe('')
  })

  it('are walked by key, within the list', () => {
    const items = [{ id: 'a' }, { id: 'b' }]
    expect(stepped(items, '', 1)?.id).toBe('a')
    expect(stepped(items, 'a', 1)?.id).toBe('b')
    expect(stepped(items, 'b', 1)?.id).toBe('b')
    expect(stepped([], 'a', 1)).toBeNull()
  })

  it('show the condition that a row fails', () => {
    const row = { field: 'm', label: '缴存月数', value: '1个月', origin: 'said' as const, ask: null }
    const condition = { text: '满3个月', told: '缴存月数1个月 ≥ 3', state: 'unmet' as const, refuses: true, citations: [] }
    expect(rowVerdict(row, [condition])).toEqual({ ok: false, reason: '满3个月' })
    expect(rowVerdict(row, [{ ...condition, state: 'met' }]).ok).toBe(true)
    expect(rowVerdict({ ...row, value: null, origin: 'missing' }, []).ok).toBe(false)
  })
})

describe('item files', () => {
  it('are YAML, and their findings stand by file from top to bottom', () => {
    expect(isItemFile('公积金/租房.yaml')).toBe(true)
    expect(isItemFile('说明.md')).toBe(false)
    const finding = (path: string, line: number) => ({ path, line, column: 1, message: '' })
    const groups = byFile([finding('b', 9), finding('a', 1), finding('b', 2)])
    expect(groups.map((g) => g.path)).toEqual(['b', 'a'])
    expect(groups[0]!.findings.map((f) => f.line)).toEqual([2, 9])
  })
})
