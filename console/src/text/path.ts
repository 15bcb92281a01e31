/** Where to go after signing in: a path of this console, whatever the address asks for. */
export function ownPath(to: unknown, fallback = '/'): string {
  const path = Array.isArray(to) ? to[0] : to
  if (typeof path !== 'string' || !path.startsWith('/')) return fallback
  // “//host” and “/\host” lead elsewhere; control characters hide such a thing from the eye, but not from the browser.
  if (/^\/[/\\]/.test(path) || /[\u0000-\u001f\u007f\\]/.test(path)) return fallback
  const target = new URL(path, 'http://console.invalid')
  if (target.origin !== 'http://console.invalid') return fallback
  // Signing in must not lead to signing in.
  return /^\/(sign-in|setup|password)$/.test(target.pathname) ? fallback : path
}
