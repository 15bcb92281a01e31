//! A file that only grows, in frames that are there whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Length and checksum before each frame.
const HEAD: usize = 8;

/// The longest frame. What claims to be longer is damage.
const LONGEST: u32 = 1 << 30;

/// Frames in a file. A frame that was cut off by a crash, and all after it, are dropped when it is opened.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    end: u64,
}

impl Log {
    /// Opens or begins a file and shows each whole frame.
    pub(super) fn open(path: &Path, mut show: impl FnMut(&[u8])) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let length = file.metadata()?.len();
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut end = 0;
        let mut frame = Vec::new();
        while let Some(size) = next(&mut reader, length - end, &mut frame)? {
            show(&frame);
            end += size;
        }
        if end < length {
            tracing::warn!(file = %path.display(), kept = end, length, "the end of a file of vectors was cut off");
            file.set_len(end)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            end,
        })
    }

    /// Adds a frame, durably. Where that fails the file stands as before.
    pub(super) fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| write(&mut self.file, frame))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What was begun is no frame yet: opening would drop it as well.
            let _ = self.file.set_len(self.end);
            return Err(error);
        }
        self.end += (HEAD + frame.len()) as u64;
        Ok(())
    }

    /// Replaces all frames at once, durably.
    pub(super) fn replace<'a>(
        &mut self,
        frames: impl Iterator<Item = std::borrow::Cow<'a, [u8]>>,
    ) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&new)?);
        let mut end = 0;
        for frame in frames {
            write(&mut out, &frame)?;
            end += (HEAD + frame.len()) as u64;
        }
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(&new, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        self.end = end;
        Ok(())
    }
}

fn write(out: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let length = u32::try_from(frame.len())
        .ok()
        .filter(|l| *l <= LONGEST)
        .ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let mut whole = Vec::with_capacity(HEAD + frame.len());
    whole.extend(length.to_le_bytes());
    whole.extend(crc32fast::hash(frame).to_le_bytes());
    whole.extend(frame);
    out.write_all(&whole)
}

/// The next frame and how many bytes it takes; `None` at the end or where the rest is no whole frame.
fn next(reader: &mut impl Read, left: u64, frame: &mut Vec<u8>) -> io::Result<Option<u64>> {
    if left < HEAD as u64 {
        return Ok(None);
    }
    let mut head = [0; HEAD];
    reader.read_exact(&mut head)?;
    let [a, b, c, d, e, f, g, h] = head;
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > LONGEST || u64::from(length) > left - HEAD as u64 {
        return Ok(None);
    }
    frame.resize(length as usize, 0);
    reader.read_exact(frame)?;
    let whole = crc32fast::hash(frame) == u32::from_le_bytes([e, f, g, h]);
    Ok(whole.then_some(HEAD as u64 + u64::from(length)))
}
