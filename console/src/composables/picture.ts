const LONGEST_SIDE = 1600
/** Above this a picture is made smaller: drafts and pages stay light. */
const LIGHT_ENOUGH = 300_000

/** A picture file as a `data:` address; a heavy one is made smaller. Throws for what isn't a picture. */
export async function readPicture(file: File): Promise<string> {
  const address = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error ?? new Error('unreadable'))
    reader.readAsDataURL(file)
  })
  const image = new Image()
  image.src = address
  await image.decode()
  const scale = Math.min(1, LONGEST_SIDE / Math.max(image.naturalWidth, image.naturalHeight))
  // A GIF may move; drawn anew it would stand still.
  if (file.type === 'image/gif' || (scale === 1 && file.size <= LIGHT_ENOUGH)) return address
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(image.naturalWidth * scale)
  canvas.height = Math.round(image.naturalHeight * scale)
  const brush = canvas.getContext('2d')
  if (!brush) return address
  // JPEG has no transparency: what shows through becomes paper.
  brush.fillStyle = '#fff'
  brush.fillRect(0, 0, canvas.width, canvas.height)
  brush.drawImage(image, 0, 0, canvas.width, canvas.height)
  const smaller = canvas.toDataURL('image/jpeg', 0.85)
  return smaller.length < address.length ? smaller : address
}
