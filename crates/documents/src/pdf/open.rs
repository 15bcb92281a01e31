//! Opens the file: what is encrypted, damaged or made to fill the memory is refused.

use std::cell::Cell;

use kernel::Result;
use lopdf::{DecompressError, Document, Error, LoadOptions, Object, ObjectId};

use crate::fault;

/// Bytes of one unpacked table of objects.
const TABLE: usize = 16 << 20;
/// Bytes of all unpacked streams of objects together. Each byte can become an object of sixty.
const OBJECTS: usize = 64 << 20;
/// Bytes outside of streams, for the same reason.
const PLAIN: usize = 32 << 20;

thread_local! {
    /// Bytes that streams of objects may still unpack to; the parser's filter takes no state of its own.
    static LEFT: Cell<usize> = const { Cell::new(0) };
    static EXCEEDED: Cell<bool> = const { Cell::new(false) };
}

/// Drops the data of images, and counts what streams of objects unpack to.
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
            let left = LEFT.get();
            match stream.get_plain_content_with_limit(left) {
                Ok(bytes) => LEFT.set(left - bytes.len().min(left)),
                Err(error) if is_bomb(&error) => {
                    EXCEEDED.set(true);
                    return None;
                }
                // Whatever else is wrong with it, the parser says.
                Err(_) => {}
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

/// Bytes that lie outside of streams.
fn plain(bytes: &[u8]) -> usize {
    let find = |from: usize, word: &[u8]| {
        bytes[from..]
            .windows(word.len())
            .position(|w| w == word)
            .map(|at| from + at)
    };
    let (mut at, mut sum) = (0, 0);
    while let Some(start) = find(at, b"stream") {
        sum += start - at;
        match find(start, b"endstream") {
            Some(end) => at = end + 9,
            None => return sum,
        }
    }
    sum + bytes.len() - at
}

fn load(bytes: &[u8], rebuild: bool) -> lopdf::Result<Document> {
    LEFT.set(OBJECTS);
    EXCEEDED.set(false);
    let options = LoadOptions {
        filter: Some(keep),
        max_decompressed_size: Some(TABLE),
        force_reconstruct: rebuild,
        ..LoadOptions::default()
    };
    Document::load_mem_with_options(bytes, options)
}

pub(super) fn document(name: &str, bytes: &[u8]) -> Result<Document> {
    if plain(bytes) > PLAIN {
        return Err(fault::unsafe_file(name, "PDF 的对象表大得不正常"));
    }
    let mut loaded = load(bytes, false);
    let locked = |pdf: &Document| pdf.is_encrypted();
    // With a filter the parser does not repair a table of objects that points past them.
    if loaded
        .as_ref()
        .is_ok_and(|pdf| !locked(pdf) && pdf.page_iter().next().is_none())
        && !EXCEEDED.get()
    {
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
