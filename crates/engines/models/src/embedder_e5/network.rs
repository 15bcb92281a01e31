//! The network: an encoder of transformer layers (Vaswani et al., 2017) with normalisation after each part, as BERT has it.
//!
//! Several texts go through together: their tokens lie one after the other without padding, so that the linear parts see
//! one long matrix, and attention stays within each text. The linear parts multiply 8-bit numbers: weights are quantised
//! once per output, activations per token as they come. Everything else is f32.

use kernel::{Error, Result};
use rten_gemm::{GemmError, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::SimdOp;
use rten_tensor::NdTensorView;
use rten_vecmath::{Softmax, SumSquare};

use super::{
    file::{Flaw, ModelFile, Shape, Table},
    tokens::Tokenizer,
    vector::{Quantised, Rescale, Then, normalise},
};

/// So many tokens go through a linear part at once: what lies between two parts stays in the processor's cache.
const STRIP: usize = 112;

/// A network with its tokenizer.
pub(super) struct Network {
    pub(super) shape: Shape,
    pub(super) tokenizer: Tokenizer,
    words: Table,
    /// A vector per position, the vector of the token type added.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    /// Queries, keys and values, beside one another.
    attend: Linear,
    join: Linear,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Norm {
    fn read(file: &ModelFile, name: &str) -> Result<Self, Flaw> {
        Ok(Self {
            weight: file.vector(&format!("{name}.w"), file.shape.width)?,
            bias: file.vector(&format!("{name}.b"), file.shape.width)?,
        })
    }

    fn apply(&self, rows: &mut [f32], epsilon: f32) {
        for row in rows.chunks_exact_mut(self.weight.len()) {
            normalise(row, &self.weight, &self.bias, epsilon);
        }
    }
}

/// Integer products for the linear parts, f32 ones for attention.
struct Products {
    integer: GemmExecutor<u8, i8, i32>,
    float: GemmExecutor<f32>,
}

impl Products {
    fn new() -> Self {
        Self {
            integer: GemmExecutor::new(),
            float: GemmExecutor::new(),
        }
    }

    /// The largest weight: without instructions that sum in 32 bits, two products of 8-bit numbers must fit into 16.
    fn largest_weight(&self) -> f32 {
        if self.integer.may_saturate() {
            63.0
        } else {
            127.0
        }
    }
}

/// A linear part with 8-bit weights.
struct Linear {
    weights: PackedBMatrix<i8>,
    /// Per output.
    scales: Vec<f32>,
    /// The sum of each output's weights, by which an input's zero counts.
    totals: Vec<i32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Linear {
    /// The parts named, beside one another; each has `outputs` outputs.
    fn read(
        file: &ModelFile,
        products: &Products,
        names: &[String],
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, Flaw> {
        let largest = products.largest_weight();
        let mut numbers = Vec::with_capacity(names.len() * outputs * inputs);
        let (mut scales, mut totals, mut bias) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            let weights = file.matrix(&format!("{name}.w"), outputs, inputs)?;
            for row in weights.chunks_exact(inputs) {
                let most = row
                    .iter()
                    .fold(0.0_f32, |most, weight| most.max(weight.abs()));
                let scale = (most / largest).max(f32::MIN_POSITIVE);
                let start = numbers.len();
                numbers.extend(row.iter().map(|weight| nearest(weight / scale)));
                totals.push(numbers[start..].iter().copied().map(i32::from).sum());
                scales.push(scale);
            }
            bias.extend(file.vector(&format!("{name}.b"), outputs)?);
        }
        let matrix = NdTensorView::from_data([scales.len(), inputs], &numbers[..]);
        Ok(Self {
            weights: products.integer.prepack_b(matrix.transposed()),
            scales,
            totals,
            bias,
            inputs,
        })
    }

    /// `rows × weights + bias`, written to or added to `into`.
    fn apply(
        &self,
        products: &Products,
        rows: &Quantised,
        sums: &mut Vec<i32>,
        then: Then,
        into: &mut [f32],
    ) -> Result<()> {
        let (count, outputs) = (rows.scales.len(), self.scales.len());
        sums.resize(count * outputs, 0);
        let matrix = NdTensorView::from_data([count, self.inputs], &rows.numbers[..]);
        // Zeros are taken off below: rten-gemm 0.27 mixes them up where rows have different ones.
        products
            .integer
            .gemm(
                sums,
                GemmInputA::Unpacked(matrix),
                GemmInputB::Packed(&self.weights),
                GemmOptions::default(),
            )
            .map_err(unfit)?;
        let quantised = rows.scales.iter().zip(&rows.zeros);
        let rows = sums.chunks_exact(outputs).zip(quantised);
        for ((sums, (scale, zero)), into) in rows.zip(into.chunks_exact_mut(outputs)) {
            Rescale {
                sums,
                zero: *zero,
                totals: &self.totals,
                row: *scale,
                column: &self.scales,
                bias: &self.bias,
                then,
                into,
            }
            .dispatch();
        }
        Ok(())
    }
}

/// The nearest 8-bit number. Faster than `round`, which most processors' common instructions lack.
fn nearest(value: f32) -> i8 {
    (value + 0.5_f32.copysign(value)) as i8
}

fn unfit(error: GemmError) -> Error {
    Error::internal(format!("matrices of an embedder do not fit: {error}"))
}

/// Memory that is used again from batch to batch.
#[derive(Default)]
pub(super) struct Scratch {
    rows: Vec<f32>,
    attend: Vec<f32>,
    context: Vec<f32>,
    inner: Vec<f32>,
    quantised: Quantised,
    sums: Vec<i32>,
    scores: Vec<f32>,
    head: Vec<f32>,
}

impl Network {
    /// Builds the network from its file.
    pub(super) fn build(file: ModelFile) -> Result<Self, Flaw> {
        let shape = file.shape;
        let Shape { width, inner, .. } = shape;
        let products = Products::new();
        let mut layers = Vec::with_capacity(shape.layers);
        for layer in 0..shape.layers {
            let linear = |names: &[&str], outputs, inputs| {
                let names: Vec<String> = names
                    .iter()
                    .map(|name| format!("l{layer}.{name}"))
                    .collect();
                Linear::read(&file, &products, &names, outputs, inputs)
            };
            layers.push(Layer {
                attend: linear(&["q", "k", "v"], width, width)?,
                join: linear(&["ao"], width, width)?,
                attention_norm: Norm::read(&file, &format!("l{layer}.aln"))?,
                widen: linear(&["fi"], inner, width)?,
                narrow: linear(&["fo"], width, inner)?,
                norm: Norm::read(&file, &format!("l{layer}.oln"))?,
            });
        }
        let mut positions = file.vector("emb.pos", shape.window * width)?;
        // Two token types; every token has the first.
        let kinds = file.vector("emb.type", 2 * width)?;
        for position in positions.chunks_exact_mut(width) {
            for (position, kind) in position.iter_mut().zip(&kinds) {
                *position += kind;
            }
        }
        let norm = Norm::read(&file, "emb.ln")?;
        let (words, tokenizer) = file.into_table("emb.word", shape.words, width)?;
        Ok(Self {
            shape,
            tokenizer,
            words,
            positions,
            norm,
            layers,
        })
    }

    /// A vector of length 1 for each text, given as tokens.
    ///
    /// # Errors
    /// `Internal` where the numbers overflow, which a file that is what it should be does not lead to.
    pub(super) fn embed(&self, texts: &[Vec<u32>], scratch: &mut Scratch) -> Result<Vec<Vec<f32>>> {
        let width = self.shape.width;
        let products = Products::new();
        self.look_up(texts, &mut scratch.rows);
        for layer in &self.layers {
            self.attention(layer, &products, texts, scratch)?;
            self.feed_forward(layer, &products, scratch)?;
        }
        let mut rows = scratch.rows.chunks_exact(width);
        texts
            .iter()
            .map(|tokens| mean(rows.by_ref().take(tokens.len()), width))
            .collect()
    }

    /// The sums of the vectors of words and positions, normalised.
    fn look_up(&self, texts: &[Vec<u32>], rows: &mut Vec<f32>) {
        let width = self.shape.width;
        rows.resize(texts.iter().map(Vec::len).sum::<usize>() * width, 0.0);
        let tokens = texts
            .iter()
            .flat_map(|tokens| tokens.iter().zip(self.positions.chunks_exact(width)));
        for ((token, position), row) in tokens.zip(rows.chunks_exact_mut(width)) {
            self.words.row(*token as usize, row);
            for (value, position) in row.iter_mut().zip(position) {
                *value += position;
            }
        }
        self.norm.apply(rows, self.shape.epsilon);
    }

    fn attention(
        &self,
        layer: &Layer,
        products: &Products,
        texts: &[Vec<u32>],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let width = self.shape.width;
        scratch.attend.resize(scratch.rows.len() * 3, 0.0);
        scratch.context.resize(scratch.rows.len(), 0.0);
        let strips = scratch.rows.chunks(STRIP * width);
        for (rows, into) in strips.zip(scratch.attend.chunks_mut(STRIP * width * 3)) {
            scratch.quantised.set(rows, width);
            layer.attend.apply(
                products,
                &scratch.quantised,
                &mut scratch.sums,
                Then::Write,
                into,
            )?;
        }
        let mut start = 0;
        for tokens in texts {
            let end = start + tokens.len() * width;
            attend(
                products,
                &scratch.attend[start * 3..end * 3],
                [tokens.len(), width, self.shape.heads],
                &mut scratch.scores,
                &mut scratch.head,
                &mut scratch.context[start..end],
            )?;
            start = end;
        }
        Ok(())
    }

    /// Everything after attention: a strip of tokens goes through all of it.
    fn feed_forward(
        &self,
        layer: &Layer,
        products: &Products,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Shape {
            width,
            inner,
            epsilon,
            ..
        } = self.shape;
        let Scratch {
            quantised, sums, ..
        } = scratch;
        let strips = scratch.context.chunks(STRIP * width);
        for (context, rows) in strips.zip(scratch.rows.chunks_mut(STRIP * width)) {
            quantised.set(context, width);
            layer
                .join
                .apply(products, quantised, sums, Then::Add, rows)?;
            layer.attention_norm.apply(rows, epsilon);
            quantised.set(rows, width);
            scratch.inner.resize(rows.len() / width * inner, 0.0);
            let between = &mut scratch.inner;
            layer
                .widen
                .apply(products, quantised, sums, Then::Gelu, between)?;
            quantised.set(between, inner);
            layer
                .narrow
                .apply(products, quantised, sums, Then::Add, rows)?;
            layer.norm.apply(rows, epsilon);
        }
        Ok(())
    }
}

/// Scaled dot-product attention within one text: `attend` holds query, key and value of each token.
fn attend(
    products: &Products,
    attend: &[f32],
    [count, width, heads]: [usize; 3],
    scores: &mut Vec<f32>,
    head: &mut Vec<f32>,
    into: &mut [f32],
) -> Result<()> {
    let size = width / heads;
    let matrix = NdTensorView::from_data([count, width * 3], attend);
    scores.resize(count * count, 0.0);
    head.resize(count * size, 0.0);
    for start in (0..width).step_by(size) {
        let part = |at: usize| matrix.slice((.., at + start..at + start + size));
        let options = GemmOptions {
            alpha: (size as f32).sqrt().recip(),
            ..GemmOptions::default()
        };
        let (queries, keys, values) = (part(0), part(width), part(width * 2));
        products
            .float
            .gemm(
                scores,
                GemmInputA::Unpacked(queries),
                GemmInputB::Unpacked(keys.transposed()),
                options,
            )
            .map_err(unfit)?;
        for row in scores.chunks_exact_mut(count) {
            Softmax::new_mut(row).dispatch();
        }
        let weights = NdTensorView::from_data([count, count], &scores[..]);
        products
            .float
            .gemm(
                head,
                GemmInputA::Unpacked(weights),
                GemmInputB::Unpacked(values),
                GemmOptions::default(),
            )
            .map_err(unfit)?;
        for (from, into) in head.chunks_exact(size).zip(into.chunks_exact_mut(width)) {
            into[start..start + size].copy_from_slice(from);
        }
    }
    Ok(())
}

/// The mean of some rows, brought to length 1.
fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, width: usize) -> Result<Vec<f32>> {
    let mut sum = vec![0.0_f32; width];
    for row in rows {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value;
        }
    }
    // The length takes care of the count.
    let length = SumSquare::new(&sum).dispatch().sqrt();
    if !(length.is_finite() && length > 0.0) {
        return Err(Error::internal("an embedding is not finite"));
    }
    for value in &mut sum {
        *value /= length;
    }
    Ok(sum)
}
