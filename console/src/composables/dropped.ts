import type { UploadFile } from '@/api/client'

/** What the server can read; the rest of a dropped folder is left out here and said so. */
const READABLE = /\.(md|markdown|txt|html?|docx|pdf|xlsx|csv|zip|png|jpe?g|gif|webp|svg)$/i
export const ACCEPTED = '.md,.markdown,.txt,.html,.htm,.docx,.pdf,.xlsx,.csv,.zip,.png,.jpg,.jpeg,.gif,.webp,.svg'

export interface Gathered {
  files: UploadFile[]
  skipped: string[]
}

/** What the server reads of a drop, folders walked to their end. Must be called within the drop event. */
export async function gatherDrop(data: DataTransfer): Promise<Gathered> {
  return sift(await gatherAll(data))
}

/** All files of a drop, folders walked to their end. Must be called within the drop event. */
export async function gatherAll(data: DataTransfer): Promise<UploadFile[]> {
  // The items die with the event, so every entry is taken out before the first wait.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  const loose = entries.length === 0 ? [...data.files] : []
  const files: UploadFile[] = loose.map((file) => ({ file, path: file.name }))
  for (const entry of entries) await walk(entry, files)
  return files
}

/** The files of a file or folder field. */
export function gatherInput(list: FileList): Gathered {
  return sift([...list].map((file) => ({ file, path: file.webkitRelativePath || file.name })))
}

function sift(files: UploadFile[]): Gathered {
  const hidden = (path: string) => path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX')
  const visible = files.filter(({ path }) => !hidden(path))
  return {
    files: visible.filter(({ path }) => READABLE.test(path)),
    skipped: visible.filter(({ path }) => !READABLE.test(path)).map(({ path }) => path),
  }
}

async function walk(entry: FileSystemEntry, into: UploadFile[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    into.push({ file, path: entry.fullPath.replace(/^\//, '') })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // A reader hands out at most a hundred entries at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return
    for (const child of some) await walk(child, into)
  }
}
