import { describe, expect, it } from 'vitest'
import type { DocumentDetail, VersionSummary } from '@/api/types'
import { changesText, runs, spanRanges } from '@/text/changes'
import { correctionProblems, corrections, differences, fieldTexts } from '@/text/corrections'
import { dayFrom, inForceOn, inOrder } from '@/text/versions'

const version = (over: Partial<VersionSummary>) => ({ id: 'a', version: 1, begins: null, status: 'current', replaced: false, path: 'a.md', ...over }) as VersionSummary

describe('versions', () => {
  it('tell what is in force on the day, other wordings included, corrected ones not', () => {
    const old = version({ id: 'old' })
    const upcoming = version({ id: 'new', status: 'upcoming' })
    expect(inForceOn({ versions: [upcoming, old], wordings: [] })?.id).toBe('old')
    expect(inForceOn({ versions: [upcoming], wordings: [version({ id: 'w' })] })?.id).toBe('w')
    expect(inForceOn({ versions: [upcoming, version({ replaced: true })], wordings: [] })).toBeNull()
  })

  it('stand in the order of time, by number where the day is not known', () => {
    const [a, b] = [version({ id: 'a', version: 2, begins: '2020-01-01' }), version({ id: 'b', version: 1, begins: '2024-01-01' })]
    expect(inOrder(b, a).map((v) => v.id)).toEqual(['a', 'b'])
    expect(inOrder(version({ id: 'x', version: 2 }), version({ id: 'y', version: 1 })).map((v) => v.id)).toEqual(['y', 'x'])
  })

  it('take only real days from the address', () => {
    expect(dayFrom('2024-02-29')).toBe('2024-02-29')
    expect([dayFrom('2023-02-29'), dayFrom('2024-13-01'), dayFrom('gestern'), dayFrom(undefined), dayFrom(['2024-01-01'])]).toEqual(['', '', '', '', ''])
  })
})

describe('changes', () => {
  it('are told in a line', () => {
    expect(changesText({ added: 1, changed: 2, removed: 0, moved: 0, same: 9 })).toBe('新增 1 条，修改 2 条')
    expect(changesText({ added: 0, changed: 0, removed: 0, moved: 0, same: 9 })).toBe('条款未变')
  })

  it('keep their places after characters of two units', () => {
    const text = '𠮷林三百元'
    expect(spanRanges(text, [[2, 3], [4, 4]]).map((r) => text.slice(r.start, r.end))).toEqual(['三'])
  })

  it('stand for themselves between folded runs of what is the same', () => {
    const shape = runs((['same', 'same', 'changed', 'added', 'same'] as const).map((fate) => ({ fate })))
    expect(shape.map((run) => [run.folded, run.items.map((i) => i.at)])).toEqual([[true, [0, 1]], [false, [2]], [false, [3]], [true, [4]]])
  })
})

describe('corrections', () => {
  const document = {
    title: '办法', kind: 'policy', issuer: '甲局', number: null, region: null, issued: '2024-01-01', effective_from: '2024-02-01',
    effective_until: null, topics: ['社保'], space: '默认', revision: 7, edits: {},
  } as unknown as DocumentDetail

  it('send only what differs, and null for what was emptied', () => {
    const texts = { ...fieldTexts(document), issuer: ' ', topics: '社保，就业 社保', title: ' 办法 ' }
    expect(corrections(document, texts, [])).toEqual({ revision: 7, set: { issuer: null, topics: ['社保', '就业'] }, undo: [] })
  })

  it('do not write what is taken back', () => {
    const texts = { ...fieldTexts(document), effective_from: '2024-03-01' }
    expect(corrections(document, texts, ['effective_from'])).toEqual({ revision: 7, set: {}, undo: ['effective_from'] })
  })

  it('tell what someone else changed', () => {
    const now = { ...document, kind: 'law', number: '一号' } as DocumentDetail
    expect(differences(document, now)).toEqual([
      { field: 'kind', before: '政策', now: '法律法规' },
      { field: 'number', before: '（空）', now: '一号' },
    ])
  })

  it('are refused where the last day is before the first', () => {
    expect(correctionProblems({ ...fieldTexts(document), effective_until: '2024-01-31' }).effective_until).toContain('2024-02-01')
    expect(correctionProblems({ ...fieldTexts(document), effective_until: '2024-02-01' })).toEqual({})
    expect(correctionProblems({ ...fieldTexts(document), title: ' ' }).title).toBeDefined()
  })
})
