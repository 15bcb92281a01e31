//! Weights read from a GGUF file, every shape checked against what the file says of itself.

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
    sync::Arc,
};

use candle_core::{
    Device, Result, Tensor, bail,
    quantized::{
        GgmlDType, QMatMul, QTensor,
        gguf_file::{Content, Value},
    },
};

use super::ops::RmsNorm;

/// More layers than any model has that fits here.
const MOST_LAYERS: usize = 256;

const LARGEST_VOCABULARY: usize = 1 << 22;

/// Which family of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Qwen2,
    Qwen3,
}

/// The sizes of a model.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) family: Family,
    pub(super) width: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) kv_heads: usize,
    pub(super) head: usize,
    pub(super) vocabulary: usize,
    pub(super) context: usize,
    pub(super) rope_base: f32,
    eps: f32,
}

/// A matrix, and what is added to its product.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Arc<QTensor>,
    product: QMatMul,
    bias: Option<Tensor>,
}

impl Linear {
    pub(super) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.apply(&self.product)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }

    /// Two products with one input, together where the machine can.
    pub(super) fn both(a: &Self, b: &Self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        if a.bias.is_none() && b.bias.is_none() {
            let together = QTensor::gemv_fused_shared_lhs(&[&a.weight, &b.weight], x)?;
            if let Some([a, b]) = together.and_then(|both| <[Tensor; 2]>::try_from(both).ok()) {
                return Ok((a, b));
            }
        }
        Ok((a.apply(x)?, b.apply(x)?))
    }
}

/// The weights of one layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) attention_norm: Arc<RmsNorm>,
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    /// Qwen 3 normalises each head of queries and keys.
    pub(super) query_norm: Option<Arc<RmsNorm>>,
    pub(super) key_norm: Option<Arc<RmsNorm>>,
    pub(super) output: Linear,
    pub(super) feed_norm: Arc<RmsNorm>,
    pub(super) gate: Linear,
    pub(super) up: Linear,
    pub(super) down: Linear,
}

/// The weights of a model.
#[derive(Debug)]
pub(super) struct Weights {
    pub(super) embedding: Arc<QTensor>,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Arc<RmsNorm>,
    pub(super) output: QMatMul,
}

/// A number that the file says of its model.
fn number(content: &Content, key: &str) -> Result<f64> {
    let number = match content.metadata.get(key) {
        Some(Value::U8(n)) => Some(f64::from(*n)),
        Some(Value::U16(n)) => Some(f64::from(*n)),
        Some(Value::U32(n)) => Some(f64::from(*n)),
        Some(Value::U64(n)) => Some(*n as f64),
        Some(Value::I32(n)) => Some(f64::from(*n)),
        Some(Value::I64(n)) => Some(*n as f64),
        Some(Value::F32(n)) => Some(f64::from(*n)),
        Some(Value::F64(n)) => Some(*n),
        _ => None,
    };
    match number.filter(|n| n.is_finite()) {
        Some(number) => Ok(number),
        None => bail!("no number {key}"),
    }
}

/// The name of the file's architecture.
pub(super) fn architecture(content: &Content) -> &str {
    match content.metadata.get("general.architecture") {
        Some(Value::String(name)) => name,
        _ => "",
    }
}

impl Shape {
    /// The sizes that a file tells; `None` if its architecture is another.
    pub(super) fn read(content: &Content) -> Result<Option<Self>> {
        let name = architecture(content);
        let family = match name {
            "qwen2" => Family::Qwen2,
            "qwen3" => Family::Qwen3,
            _ => return Ok(None),
        };
        let value = |key: &str| number(content, &format!("{name}.{key}"));
        let size = |key: &str, most: usize| -> Result<usize> {
            let size = value(key)?;
            if size < 1.0 || size > most as f64 || size.fract() != 0.0 {
                bail!("{key} is {size}");
            }
            Ok(size as usize)
        };
        let width = size("embedding_length", 1 << 16)?;
        let heads = size("attention.head_count", 1 << 10)?;
        let kv_heads = size("attention.head_count_kv", heads)?;
        let head = match content
            .metadata
            .get(&format!("{name}.attention.key_length"))
        {
            Some(_) => size("attention.key_length", 1 << 12)?,
            None => width / heads,
        };
        if heads % kv_heads != 0 || head == 0 || head % 2 != 0 {
            bail!("{heads} heads, {kv_heads} for keys, {head} each");
        }
        let Some(table) = content.tensor_infos.get("token_embd.weight") else {
            bail!("no token_embd.weight");
        };
        let (vocabulary, _) = table.shape.dims2()?;
        if vocabulary > LARGEST_VOCABULARY {
            bail!("{vocabulary} tokens");
        }
        Ok(Some(Self {
            family,
            width,
            layers: size("block_count", MOST_LAYERS)?,
            heads,
            kv_heads,
            head,
            vocabulary,
            context: size("context_length", 1 << 24)?,
            rope_base: value("rope.freq_base").unwrap_or(1_000_000.0) as f32,
            eps: value("attention.layer_norm_rms_epsilon")? as f32,
        }))
    }
}

struct Reader<'f, F> {
    content: &'f Content,
    file: F,
    shape: &'f Shape,
}

impl<F: Read + Seek> Reader<'_, F> {
    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<QTensor> {
        let found = self
            .content
            .tensor_infos
            .get(name)
            .map(|info| info.shape.dims());
        if found != Some(shape) {
            bail!("{name} is {found:?}, not {shape:?}");
        }
        self.content.tensor(&mut self.file, name, &Device::Cpu)
    }

    fn numbers(&mut self, name: &str, length: usize) -> Result<Tensor> {
        self.tensor(name, &[length])?.dequantize(&Device::Cpu)
    }

    fn norm(&mut self, name: &str, length: usize) -> Result<Arc<RmsNorm>> {
        let weight = self.numbers(&format!("{name}.weight"), length)?.to_vec1()?;
        Ok(Arc::new(RmsNorm::new(weight, self.shape.eps)))
    }

    fn linear(&mut self, name: &str, rows: usize, columns: usize) -> Result<Linear> {
        let weight = self.tensor(&format!("{name}.weight"), &[rows, columns])?;
        let weight = Arc::new(quick(weight)?);
        let bias = format!("{name}.bias");
        let bias = match self.content.tensor_infos.get(&bias) {
            Some(_) => Some(self.numbers(&bias, rows)?),
            None => None,
        };
        Ok(Linear {
            product: QMatMul::from_arc(weight.clone())?,
            weight,
            bias,
        })
    }

    fn layer(&mut self, number: usize) -> Result<Layer> {
        let name = |part: &str| format!("blk.{number}.{part}");
        let (width, head) = (self.shape.width, self.shape.head);
        let (all, keys) = (self.shape.heads * head, self.shape.kv_heads * head);
        let feed = name("ffn_gate.weight");
        let feed = match self.content.tensor_infos.get(&feed) {
            Some(info) => info.shape.dims2()?.0,
            None => bail!("no {feed}"),
        };
        let per_head = self.shape.family == Family::Qwen3;
        let mut head_norm = |part: &str| per_head.then(|| self.norm(&name(part), head)).transpose();
        let (query_norm, key_norm) = (head_norm("attn_q_norm")?, head_norm("attn_k_norm")?);
        Ok(Layer {
            attention_norm: self.norm(&name("attn_norm"), width)?,
            query: self.linear(&name("attn_q"), all, width)?,
            key: self.linear(&name("attn_k"), keys, width)?,
            value: self.linear(&name("attn_v"), keys, width)?,
            query_norm,
            key_norm,
            output: self.linear(&name("attn_output"), width, all)?,
            feed_norm: self.norm(&name("ffn_norm"), width)?,
            gate: self.linear(&name("ffn_gate"), feed, width)?,
            up: self.linear(&name("ffn_up"), feed, width)?,
            down: self.linear(&name("ffn_down"), width, feed)?,
        })
    }
}

/// The matrix in a form that is computed with vector instructions: candle 0.11 has none for some of the older ones, which
/// would take ten times as long. Eight bits hold whatever five did.
fn quick(weight: QTensor) -> Result<QTensor> {
    use GgmlDType::{Q4_1, Q5_0, Q5_1, Q8_0, Q8_1};
    match weight.dtype() {
        Q4_1 | Q5_0 | Q5_1 | Q8_1 => QTensor::quantize(&weight.dequantize(&Device::Cpu)?, Q8_0),
        _ => Ok(weight),
    }
}

impl Weights {
    /// Reads all weights.
    pub(super) fn read(content: &Content, file: &File, shape: &Shape) -> Result<Self> {
        let mut reader = Reader {
            content,
            file: BufReader::new(file),
            shape,
        };
        let table = [shape.vocabulary, shape.width];
        let embedding = Arc::new(reader.tensor("token_embd.weight", &table)?);
        // Many models use one table for both ends.
        let output = match content.tensor_infos.contains_key("output.weight") {
            true => Arc::new(reader.tensor("output.weight", &table)?),
            false => embedding.clone(),
        };
        Ok(Self {
            embedding,
            layers: (0..shape.layers)
                .map(|n| reader.layer(n))
                .collect::<Result<_>>()?,
            norm: reader.norm("output_norm", shape.width)?,
            output: QMatMul::from_arc(output)?,
        })
    }
}
