//! The file of the E5 embedder: format `E5S1`, little-endian.
//!
//! A header of 44 bytes (magic, version, width, layers, heads, inner width, vocabulary, positions, token types, epsilon,
//! block); the tokenizer (counts and special pieces, offsets, scores, bytes of the pieces, normalisations of characters);
//! a directory of tensors (name, kind, elements, offset, bytes); the tensors. Vectors are f32. Matrices are rows of blocks
//! of 32 weights in 18 bytes: a scale as f16, then 16 bytes of which byte `j` holds weight `j` in its lower half and
//! weight `j + 16` in its upper one, each plus 8.
//!
//! Nothing in the file is trusted: whatever it says is checked before it is used.

use std::{collections::HashMap, ops::Range};

use rten_simd::float16::f16_to_f32;

use super::tokens::{Pieces, Tokenizer};

/// Weights in a block.
pub(super) const BLOCK: usize = 32;
/// Widths are multiples of it, so that rows fall into whole vectors on every processor.
const GRAIN: usize = 64;
/// Bytes of a block.
const BLOCK_BYTES: usize = 18;

/// What is wrong with a file, in Chinese, to be put into a sentence.
pub(super) type Flaw = String;

/// The sizes of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    /// Length of a token's vector, and of a text's.
    pub(super) width: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    /// Width between the two halves of a layer's second part.
    pub(super) inner: usize,
    /// Rows of the table of words.
    pub(super) words: usize,
    /// Tokens in a window.
    pub(super) window: usize,
    /// Added to variances.
    pub(super) epsilon: f32,
}

impl Shape {
    fn check(&self) -> Result<(), Flaw> {
        let sane = (1..=4096).contains(&self.width)
            && self.width.is_multiple_of(GRAIN)
            && (1..=16_384).contains(&self.inner)
            && self.inner.is_multiple_of(GRAIN)
            && (1..=64).contains(&self.layers)
            && (1..=256).contains(&self.heads)
            && self.width.is_multiple_of(self.heads)
            && (1..=4_000_000).contains(&self.words)
            && (8..=8192).contains(&self.window)
            && (0.0..1.0).contains(&self.epsilon);
        if sane {
            Ok(())
        } else {
            Err(format!("网络的尺寸不合理（{self:?}）"))
        }
    }
}

/// A file whose outer structure has been read.
#[derive(Debug)]
pub(super) struct ModelFile {
    pub(super) shape: Shape,
    pub(super) tokenizer: Tokenizer,
    tensors: HashMap<String, Tensor>,
    bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Tensor {
    blocks: bool,
    elements: usize,
    bytes: Range<usize>,
}

impl ModelFile {
    /// Reads the structure of a whole file.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, Flaw> {
        let mut reader = Reader {
            bytes: &bytes,
            at: 0,
        };
        if reader.take(4)? != b"E5S1" {
            return Err("开头不是 E5S1 标记，不是 E5 向量模型".into());
        }
        let version = reader.u32()?;
        if version != 1 {
            return Err(format!("格式版本 {version} 不受支持"));
        }
        let shape = Shape {
            width: reader.count()?,
            layers: reader.count()?,
            heads: reader.count()?,
            inner: reader.count()?,
            words: reader.count()?,
            window: reader.count()?,
            epsilon: {
                reader.count()?; // token types: only the first is used
                reader.f32()?
            },
        };
        shape.check()?;
        if reader.count()? != BLOCK {
            return Err("权重的分块大小不是 32".into());
        }
        let tokenizer = read_tokenizer(&mut reader)?;
        if tokenizer.pieces() > shape.words {
            return Err("词表比词向量表长".into());
        }
        let tensors = read_directory(&mut reader)?;
        Ok(Self {
            shape,
            tokenizer,
            tensors,
            bytes,
        })
    }

    fn tensor(&self, name: &str, blocks: bool, elements: usize) -> Result<Range<usize>, Flaw> {
        let tensor = self
            .tensors
            .get(name)
            .ok_or_else(|| format!("缺少张量 {name}"))?;
        let bytes = if blocks {
            elements / BLOCK * BLOCK_BYTES
        } else {
            elements * 4
        };
        if tensor.blocks == blocks && tensor.elements == elements && tensor.bytes.len() == bytes {
            Ok(tensor.bytes.clone())
        } else {
            Err(format!("张量 {name} 的类型或大小不对"))
        }
    }

    /// A vector.
    pub(super) fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, Flaw> {
        let range = self.tensor(name, false, length)?;
        let values: Vec<f32> = self.bytes[range]
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(format!("张量 {name} 含有无效数字"))
        }
    }

    /// A matrix, row by row: `rows` × `columns`.
    pub(super) fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>, Flaw> {
        let range = self.tensor(name, true, rows * columns)?;
        let mut values = vec![0.0; rows * columns];
        decode(&self.bytes[range], &mut values);
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(format!("张量 {name} 含有无效数字"))
        }
    }

    /// Keeps one matrix only, as it is in the file, and the tokenizer.
    pub(super) fn into_table(
        mut self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<(Table, Tokenizer), Flaw> {
        let range = self.tensor(name, true, rows * columns)?;
        // In place: the file is large, and a copy would double the memory while loading.
        self.bytes.truncate(range.end);
        self.bytes.drain(..range.start);
        self.bytes.shrink_to_fit();
        let table = Table {
            blocks: self.bytes,
            row: columns / BLOCK * BLOCK_BYTES,
        };
        Ok((table, self.tokenizer))
    }
}

/// A matrix that stays packed.
#[derive(Debug)]
pub(super) struct Table {
    blocks: Vec<u8>,
    row: usize,
}

impl Table {
    /// Unpacks one row.
    pub(super) fn row(&self, index: usize, into: &mut [f32]) {
        decode(&self.blocks[index * self.row..][..self.row], into);
    }
}

fn decode(blocks: &[u8], into: &mut [f32]) {
    for (block, values) in blocks
        .chunks_exact(BLOCK_BYTES)
        .zip(into.chunks_exact_mut(BLOCK))
    {
        let scale = f16_to_f32(u16::from_le_bytes([block[0], block[1]]));
        let (low, high) = values.split_at_mut(BLOCK / 2);
        for ((byte, low), high) in block[2..].iter().zip(low).zip(high) {
            *low = (f32::from(byte & 15) - 8.0) * scale;
            *high = (f32::from(byte >> 4) - 8.0) * scale;
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Flaw> {
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.bytes.len());
        let Some(end) = end else {
            return Err(format!(
                "内容不完整（共 {} 字节，在第 {} 字节处还需要 {length} 字节）",
                self.bytes.len(),
                self.at
            ));
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u16(&mut self) -> Result<u16, Flaw> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Flaw> {
        self.array().map(u32::from_le_bytes)
    }

    fn f32(&mut self) -> Result<f32, Flaw> {
        self.array().map(f32::from_le_bytes)
    }

    /// A number of things, at most as many as there are bytes in a file that anybody would load.
    fn count(&mut self) -> Result<usize, Flaw> {
        let count = self.u32()?;
        if count <= i32::MAX as u32 {
            Ok(count as usize)
        } else {
            Err(format!("第 {} 字节处的数字过大", self.at - 4))
        }
    }

    fn long(&mut self) -> Result<usize, Flaw> {
        let value = u64::from_le_bytes(self.array()?);
        usize::try_from(value).map_err(|_| format!("第 {} 字节处的数字过大", self.at - 8))
    }

    /// So many numbers of four bytes.
    fn numbers(&mut self, count: usize) -> Result<impl Iterator<Item = u32> + use<'a>, Flaw> {
        let bytes = count.checked_mul(4).ok_or("数量过大")?;
        Ok(self
            .take(bytes)?
            .chunks_exact(4)
            .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])))
    }
}

fn read_tokenizer(reader: &mut Reader) -> Result<Tokenizer, Flaw> {
    let count = reader.count()?;
    let (start, end) = (reader.u32()?, reader.u32()?);
    let (pad, unknown) = (reader.u32()?, reader.u32()?);
    let length = reader.long()?;
    let ends: Vec<u32> = reader
        .numbers(count.checked_add(1).ok_or("数量过大")?)?
        .collect();
    let scores: Vec<f32> = reader.numbers(count)?.map(f32::from_bits).collect();
    let text = reader.take(length)?.to_vec();
    let changes = reader.count()?;
    let bytes = reader.count()?;
    let mut inner = Reader {
        bytes: reader.take(bytes)?,
        at: 0,
    };
    let mut normal = HashMap::new();
    for _ in 0..changes {
        let from = inner.u32()?;
        let count = usize::from(inner.array::<1>()?[0]);
        let to: String = inner
            .numbers(count)?
            .map(char::from_u32)
            .collect::<Option<_>>()
            .ok_or("字符规范化表含有无效字符")?;
        normal.insert(from, to);
    }
    Tokenizer::new(
        Pieces {
            text,
            offsets: ends,
            scores,
            start,
            end,
            pad,
            unknown,
        },
        normal,
    )
}

fn read_directory(reader: &mut Reader) -> Result<HashMap<String, Tensor>, Flaw> {
    let mut tensors = HashMap::new();
    for _ in 0..reader.count()? {
        let length = usize::from(reader.u16()?);
        let name = String::from_utf8_lossy(reader.take(length)?).into_owned();
        let blocks = match reader.array::<1>()? {
            [0] => false,
            [1] => true,
            [other] => return Err(format!("张量 {name} 的类型 {other} 不受支持")),
        };
        let elements = reader.count()?;
        let start = reader.long()?;
        let end = start.checked_add(reader.long()?);
        let Some(end) = end.filter(|end| *end <= reader.bytes.len()) else {
            return Err(format!("张量 {name} 不完整"));
        };
        let tensor = Tensor {
            blocks,
            elements,
            bytes: start..end,
        };
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}
