// Runs before the first paint so that a dark screen never flashes white. Its own file: the page needs no inline script.
;(function () {
  try {
    var saved = JSON.parse(localStorage.getItem('citymind.preferences') || '{}')
    var dark = saved.theme === 'dark' || (saved.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
    document.documentElement.classList.toggle('dark', dark)
    document.documentElement.classList.toggle('large-type', saved.largeType === true)
  } catch (_) {
    /* storage may be blocked: the light theme is fine */
  }
})()
