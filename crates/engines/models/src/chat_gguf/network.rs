//! The Qwen 2 and Qwen 3 networks: from tokens to what may come next, with what was computed for earlier tokens kept.

use std::fs::File;

use candle_core::{DType, Device, Module, Result, Tensor, quantized::gguf_file::Content};

use super::{
    ops::{CausalSoftmax, Rotations, SwiGlu},
    weights::{Layer, Shape, Weights},
};

/// Keys and values of a layer, (heads, positions, size of a head).
#[derive(Debug)]
struct Kept {
    keys: Tensor,
    values: Tensor,
}

/// A network and what it has computed so far.
#[derive(Debug)]
pub(super) struct Network {
    shape: Shape,
    weights: Weights,
    rotations: Rotations,
    kept: Vec<Kept>,
}

impl Network {
    /// Reads a network that keeps at most `context` positions.
    pub(super) fn read(
        content: &Content,
        file: &File,
        shape: Shape,
        context: usize,
    ) -> Result<Self> {
        let weights = Weights::read(content, file, &shape)?;
        let room = (shape.kv_heads, context, shape.head);
        // Zeroed pages take no memory before they're written to.
        let zeros = || Tensor::zeros(room, DType::F32, &Device::Cpu);
        let kept = (0..shape.layers).map(|_| {
            Ok(Kept {
                keys: zeros()?,
                values: zeros()?,
            })
        });
        Ok(Self {
            kept: kept.collect::<Result<_>>()?,
            rotations: Rotations::new(shape.head, shape.rope_base, context),
            weights,
            shape,
        })
    }

    /// Takes in tokens at `offset`, which replace whatever was kept from there on. Returns the
    /// state of each.
    pub(super) fn take_in(&mut self, tokens: &[u32], offset: usize) -> Result<Tensor> {
        let ids = Tensor::new(tokens, &Device::Cpu)?;
        let mut x = self.weights.embedding.embedding(&ids)?;
        for (layer, kept) in self.weights.layers.iter().zip(&self.kept) {
            let h = layer.attention_norm.apply(&x)?;
            let attention = attend(&self.shape, &self.rotations, layer, kept, &h, offset)?;
            x = (x + attention)?;
            let h = layer.feed_norm.apply(&x)?;
            let (gate, up) = super::weights::Linear::both(&layer.gate, &layer.up, &h)?;
            let fed = gate.apply_op2_no_bwd(&up, &SwiGlu)?;
            x = (x + layer.down.apply(&fed)?)?;
        }
        Ok(x)
    }

    /// How likely each token is to come next, as logarithms without a common scale.
    pub(super) fn outlook(&self, state: &Tensor) -> Result<Vec<f32>> {
        let state = self.weights.norm.apply(&state.contiguous()?)?;
        self.weights.output.forward(&state)?.squeeze(0)?.to_vec1()
    }
}

/// Grouped-query attention (J. Ainslie et al., "GQA", 2023): several query heads share a head of keys and values.
fn attend(
    shape: &Shape,
    rotations: &Rotations,
    layer: &Layer,
    kept: &Kept,
    h: &Tensor,
    offset: usize,
) -> Result<Tensor> {
    let (count, _) = h.dims2()?;
    let (kv_heads, head) = (shape.kv_heads, shape.head);
    let group = shape.heads / kv_heads;
    let mut query = layer.query.apply(h)?;
    let mut key = layer.key.apply(h)?;
    if let (Some(of_query), Some(of_key)) = (&layer.query_norm, &layer.key_norm) {
        query = of_query.apply(&query)?;
        key = of_key.apply(&key)?;
    }
    let query = rotations.apply(&query, offset)?;
    let key = rotations.apply(&key, offset)?;
    let by_head = |x: &Tensor| {
        x.reshape((count, kv_heads, head))?
            .transpose(0, 1)?
            .contiguous()
    };
    kept.keys.slice_set(&by_head(&key)?, 1, offset)?;
    kept.values
        .slice_set(&by_head(&layer.value.apply(h)?)?, 1, offset)?;

    let keys = kept.keys.narrow(1, 0, offset + count)?;
    let values = kept.values.narrow(1, 0, offset + count)?;
    let query = query
        .reshape((count, kv_heads, group, head))?
        .permute((1, 2, 0, 3))?
        .contiguous()?
        .reshape((kv_heads, group * count, head))?;
    let weights = query.matmul(&keys.t()?)?.apply_op1_no_bwd(&CausalSoftmax {
        scale: (head as f32).sqrt().recip(),
        offset,
        count,
    })?;
    let seen = weights
        .matmul(&values)?
        .reshape((kv_heads, group, count, head))?
        .permute((2, 0, 1, 3))?
        .contiguous()?
        .reshape((count, shape.heads * head))?;
    layer.output.apply(&seen)
}
