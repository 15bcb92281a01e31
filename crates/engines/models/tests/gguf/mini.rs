//! A GGUF file of a tiny model with random weights: it says nothing sensible, but everything about it works.

use std::{io::Cursor, path::PathBuf};

use candle_core::{
    Device, Tensor,
    quantized::{
        GgmlDType, QTensor,
        gguf_file::{self, Value},
    },
};
use tempfile::TempDir;

const WIDTH: usize = 64;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const HEAD: usize = 16;
const FEED: usize = 128;
const LAYERS: usize = 2;
const SPECIAL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

/// What stands in the file.
pub(crate) struct Mini {
    pub(crate) metadata: Vec<(String, Value)>,
    pub(crate) tensors: Vec<(String, QTensor)>,
}

/// Random numbers that are the same every time (xorshift by G. Marsaglia).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    fn tensor(&mut self, shape: &[usize], dtype: GgmlDType, scale: f32) -> QTensor {
        let count = shape.iter().product();
        let numbers: Vec<f32> = (0..count).map(|_| self.next() * scale).collect();
        let tensor = Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap();
        QTensor::quantize(&tensor, dtype).unwrap()
    }
}

/// The letters that byte-level vocabularies write bytes as.
fn letters() -> Vec<String> {
    let seen = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..);
    let mut hidden = 256..;
    (0..=255_u8)
        .map(|byte| {
            let code = if seen(byte) {
                u32::from(byte)
            } else {
                hidden.next().unwrap()
            };
            char::from_u32(code).unwrap().to_string()
        })
        .collect()
}

impl Mini {
    pub(crate) fn new(architecture: &str, dtype: GgmlDType) -> Self {
        let mut tokens = letters();
        let merges = ["t r", "tr u", "tru e", "a n"];
        tokens.extend(merges.map(|merge| merge.replace(' ', "")));
        let mut kinds = vec![1; tokens.len()];
        tokens.extend(SPECIAL.map(str::to_owned));
        kinds.extend([3; SPECIAL.len()]);
        let strings =
            |list: &[String]| Value::Array(list.iter().cloned().map(Value::String).collect());
        let key = |key: &str| format!("{architecture}.{key}");
        let number = |key: String, n: usize| (key, Value::U32(n as u32));
        let metadata = vec![
            (
                "general.architecture".into(),
                Value::String(architecture.into()),
            ),
            number(key("block_count"), LAYERS),
            number(key("context_length"), 100_000),
            number(key("embedding_length"), WIDTH),
            number(key("attention.head_count"), HEADS),
            number(key("attention.head_count_kv"), KV_HEADS),
            number(key("attention.key_length"), HEAD),
            (key("rope.freq_base"), Value::F32(10_000.0)),
            (key("attention.layer_norm_rms_epsilon"), Value::F32(1e-6)),
            ("tokenizer.ggml.model".into(), Value::String("gpt2".into())),
            ("tokenizer.ggml.pre".into(), Value::String("qwen2".into())),
            ("tokenizer.ggml.tokens".into(), strings(&tokens)),
            (
                "tokenizer.ggml.token_type".into(),
                Value::Array(kinds.into_iter().map(Value::I32).collect()),
            ),
            (
                "tokenizer.ggml.merges".into(),
                strings(&merges.map(str::to_owned)),
            ),
        ];
        Self {
            metadata,
            tensors: tensors(architecture == "qwen3", dtype, tokens.len()),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let metadata: Vec<(&str, &Value)> =
            self.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let tensors: Vec<(&str, &QTensor)> =
            self.tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let mut bytes = Cursor::new(Vec::new());
        gguf_file::write(&mut bytes, &metadata, &tensors).unwrap();
        bytes.into_inner()
    }

    /// The file, for as long as the folder is kept.
    pub(crate) fn written(&self) -> (TempDir, PathBuf) {
        written(&self.bytes())
    }
}

/// A file of some bytes.
pub(crate) fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn tensors(per_head: bool, dtype: GgmlDType, vocabulary: usize) -> Vec<(String, QTensor)> {
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut tensors = Vec::new();
    let matrices = [
        ("attn_q", [HEADS * HEAD, WIDTH]),
        ("attn_k", [KV_HEADS * HEAD, WIDTH]),
        ("attn_v", [KV_HEADS * HEAD, WIDTH]),
        ("attn_output", [WIDTH, HEADS * HEAD]),
        ("ffn_gate", [FEED, WIDTH]),
        ("ffn_up", [FEED, WIDTH]),
        ("ffn_down", [WIDTH, FEED]),
    ];
    for layer in 0..LAYERS {
        for (name, shape) in matrices {
            let matrix = random.tensor(&shape, dtype, 0.3);
            tensors.push((format!("blk.{layer}.{name}.weight"), matrix));
            if !per_head && matches!(name, "attn_q" | "attn_k" | "attn_v") {
                let bias = random.tensor(&shape[..1], GgmlDType::F32, 0.1);
                tensors.push((format!("blk.{layer}.{name}.bias"), bias));
            }
        }
        let mut norms = vec![("attn_norm", WIDTH), ("ffn_norm", WIDTH)];
        if per_head {
            norms.extend([("attn_q_norm", HEAD), ("attn_k_norm", HEAD)]);
        }
        for (name, length) in norms {
            let norm = random.tensor(&[length], GgmlDType::F32, 1.0);
            tensors.push((format!("blk.{layer}.{name}.weight"), norm));
        }
    }
    tensors.push((
        "output_norm.weight".into(),
        random.tensor(&[WIDTH], GgmlDType::F32, 1.0),
    ));
    let table = random.tensor(&[vocabulary, WIDTH], GgmlDType::F32, 1.0);
    tensors.push(("token_embd.weight".into(), table));
    // It never finds an end by itself: those rows are nothing.
    let output = random
        .tensor(&[vocabulary, WIDTH], GgmlDType::F32, 1.0)
        .dequantize(&Device::Cpu)
        .unwrap();
    let mut rows: Vec<Vec<f32>> = output.to_vec2().unwrap();
    rows.iter_mut()
        .rev()
        .take(SPECIAL.len())
        .for_each(|row| row.fill(0.0));
    let output = Tensor::new(rows, &Device::Cpu).unwrap();
    let output = QTensor::quantize(&output, GgmlDType::F32).unwrap();
    tensors.push(("output.weight".into(), output));
    tensors
}
