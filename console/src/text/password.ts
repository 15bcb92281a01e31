const SHORTEST = 10
const LONGEST_BYTES = 512
const COMMON = [
  '1234567890',
  '0123456789',
  '12345678910',
  '1111111111',
  'password123',
  'password1234',
  'qwertyuiop',
  '1q2w3e4r5t',
  '1qaz2wsx3edc',
  'administrator',
  'admin123456',
  'woaini1314',
]

export interface Rule {
  text: string
  kept: boolean
}

/** What the server asks of a password, told while it is typed. The server decides; this only saves a refusal. */
export function passwordRules(password: string, login: string): Rule[] {
  const characters = [...password]
  const lower = password.toLowerCase()
  const name = login.trim().toLowerCase()
  const common = COMMON.includes(lower) || (characters.length > 0 && characters.every((c) => c === characters[0]))
  const long = new TextEncoder().encode(password).length > LONGEST_BYTES
  return [
    { text: `至少 ${SHORTEST} 个字符，可以用几个不相关的词连起来`, kept: characters.length >= SHORTEST && !long },
    { text: '不是常见密码，也不是同一个字符重复', kept: password !== '' && !common },
    { text: '不包含登录名', kept: password !== '' && ([...name].length < 3 || !lower.includes(name)) },
  ]
}

export const isStrong = (password: string, login: string) => passwordRules(password, login).every((rule) => rule.kept)
