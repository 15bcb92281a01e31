//! Opens the file: what is encrypted, damaged or made to fill the memory is refused.

use std::cell::Cell;

use kernel::Result;
use lopdf::{DecompressError, Document, Error, LoadOptions, Object, ObjectId};

use crate::fault;

/// Bytes of one unpacked stream of objects, or table of them.
const TABLE: usize = 16 << 20;
/// The same in an encrypted file, whose streams of objects the parser's filter does not see.
const LOCKED_TABLE: usize = 4 << 20;
/// Objects of one file, by the marks between them; the parser keeps a hundred bytes and more for each.
const OBJECTS: usize = 3_000_000;

thread_local! {
    /// Objects there may still be; the parser's filter takes no state of its own.
    static LEFT: Cell<usize> = const { Cell::new(0) };
    static EXCEEDED: Cell<bool> = const { Cell::new(false) };
}

/// Drops the data of images, and counts the objects within streams.
fn keep(id: ObjectId, object: &mut Object) -> Option<(ObjectId, Object)> {
    if let Object::Stream(stream) = object {
        let is_image = stream
            .dict
            .get(b"Subtype")
            .and_then(Object::as_name)
            .is_ok_and(|name| name == b"Image");
        if is_image {
            stream.content = Vec::new();
        } else if stream.dict.has_type(b"ObjStm") {
            let unpacked = stream.get_plain_content_with_limit(TABLE);
            if unpacked.as_ref().is_err_and(is_bomb) {
                EXCEEDED.set(true);
                return None;
            }
            // Whatever else is wrong with it, the parser says.
            let objects = unpacked.map_or(0, |bytes| marks(&bytes));
            match LEFT.get().checked_sub(objects) {
                Some(left) => LEFT.set(left),
                None => {
                    EXCEEDED.set(true);
                    // Nothing in it is read.
                    stream.content = Vec::new();
                    return None;
                }
            }
        }
        // The parser keeps its own of what it reads directly, and takes from here only what lies within a stream.
        // No stream does.
        return Some((id, Object::Null));
    }
    Some((id, object.clone()))
}

pub(super) fn is_bomb(error: &Error) -> bool {
    matches!(
        error,
        Error::Decompress(DecompressError::MemoryLimitExceeded { .. })
    )
}

/// Places at which an object begins, or something within one.
fn marks(bytes: &[u8]) -> usize {
    let mut blank = true;
    bytes
        .iter()
        .filter(|byte| {
            let gap = byte.is_ascii_whitespace() || **byte == 0;
            let starts = matches!(byte, b'[' | b'<' | b'(' | b'/') || blank && !gap;
            blank = gap;
            starts
        })
        .count()
}

/// The same of all that lies outside of streams.
fn plain(bytes: &[u8]) -> usize {
    let find = |from: usize, word: &[u8]| {
        bytes[from..]
            .windows(word.len())
            .position(|w| w == word)
            .map(|at| from + at)
    };
    let (mut at, mut sum) = (0, 0);
    while let Some(start) = find(at, b"stream") {
        sum += marks(&bytes[at..start]);
        match find(start, b"endstream") {
            Some(end) => at = end + 9,
            None => break,
        }
    }
    sum + marks(&bytes[at..])
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|w| w == word)
}

fn load(bytes: &[u8], rebuild: bool) -> lopdf::Result<Document> {
    LEFT.set(OBJECTS);
    EXCEEDED.set(false);
    let options = LoadOptions {
        filter: Some(keep),
        max_decompressed_size: Some(if has(bytes, b"/Encrypt") {
            LOCKED_TABLE
        } else {
            TABLE
        }),
        force_reconstruct: rebuild,
        ..LoadOptions::default()
    };
    Document::load_mem_with_options(bytes, options)
}

pub(super) fn document(name: &str, bytes: &[u8]) -> Result<Document> {
    if plain(bytes) > OBJECTS {
        return Err(fault::unsafe_file(name, "PDF 里的对象多得不正常"));
    }
    let mut loaded = load(bytes, false);
    let locked = |pdf: &Document| pdf.is_encrypted();
    let lost = |pdf: &Document| !locked(pdf) && pdf.page_iter().next().is_none();
    // With a filter the parser does not repair a table of objects that points past them.
    if loaded.as_ref().is_ok_and(lost) && !EXCEEDED.get() {
        drop(loaded);
        loaded = load(bytes, true);
    }
    if EXCEEDED.get() {
        return Err(bomb(name));
    }
    match loaded {
        Ok(pdf) if locked(&pdf) => Err(fault::unsupported(name, "文件有密码，请去掉密码后再上传")),
        Ok(pdf) => Ok(pdf),
        Err(
            Error::InvalidPassword | Error::Decryption(_) | Error::UnsupportedSecurityHandler(_),
        ) => Err(fault::unsupported(name, "文件有密码，请去掉密码后再上传")),
        Err(error) if is_bomb(&error) => Err(bomb(name)),
        Err(error) => {
            Err(fault::damaged(name, "PDF 的对象读不出来，文件可能没有传完").with_detail(error))
        }
    }
}

pub(super) fn bomb(name: &str) -> kernel::Error {
    fault::unsafe_file(name, "PDF 解压后大得不正常，像是压缩炸弹")
}
