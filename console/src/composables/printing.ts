/** Prints one part of the page: `data-print` on the document says which, and the page's print styles leave out the rest. */
export function printOnly(part: string): void {
  const root = document.documentElement
  root.dataset['print'] = part
  addEventListener('afterprint', () => delete root.dataset['print'], { once: true })
  window.print()
}
