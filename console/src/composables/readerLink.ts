import type { Citation } from '@/api/types'

const LONGEST_QUOTE = 200

/** The address of a clause in the reader; the quotation goes along to be lit there. */
export function readerLink(citation: Pick<Citation, 'document' | 'clause'> & { quote?: string }) {
  return {
    name: 'document',
    params: { id: citation.document },
    query: {
      clause: String(citation.clause),
      ...(citation.quote ? { quote: [...citation.quote].slice(0, LONGEST_QUOTE).join('') } : {}),
    },
  }
}
