import type { Citation } from '@/api/types'

const LONGEST_QUOTE = 200

/** The address of a clause in the reader; the quotation goes along to be lit there, and the day for which was asked. */
export function readerLink(citation: Pick<Citation, 'document' | 'clause'> & { quote?: string }, asOf = '') {
  return {
    name: 'document',
    params: { id: citation.document },
    query: {
      clause: String(citation.clause),
      ...(asOf ? { as_of: asOf } : {}),
      ...(citation.quote ? { quote: [...citation.quote].slice(0, LONGEST_QUOTE).join('') } : {}),
    },
  }
}
