//! Arithmetic on rows of numbers, written once and compiled for each instruction set; the processor decides at run time.

use rten_simd::{
    Isa, SimdOp, SimdUnaryOp,
    ops::{BitOps, FloatOps, NarrowSaturate, NumOps, ToFloat},
};
use rten_vecmath::{Gelu, MinMax, Normalize, NormalizeOptions, Sum, SumSquareSub};

/// What is done with a row of sums once they are numbers again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    /// It is written.
    Write,
    /// It is added to what is there.
    Add,
    /// The Gaussian error linear unit of it (Hendrycks and Gimpel, 2016) is written.
    Gelu,
}

/// `row × column[i] × (sums[i] - zero × totals[i]) + bias[i]`, for slices of one length, a multiple of 32.
pub(super) struct Rescale<'a> {
    pub(super) sums: &'a [i32],
    pub(super) zero: u8,
    pub(super) totals: &'a [i32],
    pub(super) row: f32,
    pub(super) column: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) then: Then,
    pub(super) into: &'a mut [f32],
}

impl SimdOp for Rescale<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let (ints, floats) = (isa.i32(), isa.f32());
        let lanes = floats.len();
        let row = floats.splat(self.row);
        let zero = ints.splat(i32::from(self.zero));
        let mut at = 0;
        while at + lanes <= self.into.len() {
            let lane = at..at + lanes;
            at += lanes;
            let zeros = ints.mul(zero, ints.load(&self.totals[lane.clone()]));
            let sums = ints.sub(ints.load(&self.sums[lane.clone()]), zeros);
            let scale = floats.mul(row, floats.load(&self.column[lane.clone()]));
            let bias = floats.load(&self.bias[lane.clone()]);
            let value = floats.mul_add(ints.to_float(sums), scale, bias);
            let into = &mut self.into[lane];
            let value = match self.then {
                Then::Write => value,
                Then::Add => floats.add(value, floats.load(into)),
                Then::Gelu => Gelu {}.eval(isa, value),
            };
            floats.store(value, into);
        }
    }
}

/// `round(value × scale) + zero` as 8-bit numbers, for slices of one length, a multiple of 64.
struct Quantise<'a> {
    values: &'a [f32],
    scale: f32,
    zero: u8,
    into: &'a mut [u8],
}

impl SimdOp for Quantise<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let (floats, ints, shorts) = (isa.f32(), isa.i32(), isa.i16());
        let lanes = floats.len();
        let scale = floats.splat(self.scale);
        let zero = ints.splat(i32::from(self.zero));
        let mut at = 0;
        while at + lanes * 4 <= self.into.len() {
            let start = at;
            at += lanes * 4;
            let mut numbers = [zero; 4];
            let mut from = start;
            for number in &mut numbers {
                let value = floats.load(&self.values[from..from + lanes]);
                *number = ints.add(floats.to_int_round(floats.mul(value, scale)), zero);
                from += lanes;
            }
            let low = ints.narrow_saturate(numbers[0], numbers[1]);
            let high = ints.narrow_saturate(numbers[2], numbers[3]);
            let bytes = shorts.narrow_saturate(low, high);
            isa.u8().store(bytes, &mut self.into[start..at]);
        }
    }
}

/// Rows as 8-bit numbers: `value ≈ (number - zero) × scale`, with a scale and a zero for each row.
#[derive(Debug, Default)]
pub(super) struct Quantised {
    pub(super) numbers: Vec<u8>,
    pub(super) zeros: Vec<u8>,
    pub(super) scales: Vec<f32>,
}

impl Quantised {
    /// Replaces what is there.
    pub(super) fn set(&mut self, rows: &[f32], width: usize) {
        self.zeros.clear();
        self.scales.clear();
        self.numbers.resize(rows.len(), 0);
        for (row, into) in rows
            .chunks_exact(width)
            .zip(self.numbers.chunks_exact_mut(width))
        {
            let (least, most) = MinMax::new(row).dispatch();
            // The range holds 0, so that 0 stays exact.
            let (least, most) = (least.min(0.0), most.max(0.0));
            let scale = ((most - least) / 255.0).max(f32::MIN_POSITIVE);
            let zero = (-least / scale).round() as u8;
            Quantise {
                values: row,
                scale: scale.recip(),
                zero,
                into,
            }
            .dispatch();
            self.zeros.push(zero);
            self.scales.push(scale);
        }
    }
}

/// Layer normalisation (Ba, Kiros and Hinton, 2016) in place.
pub(super) fn normalise(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let count = row.len() as f32;
    let mean = Sum::new(row).dispatch() / count;
    let variance = SumSquareSub::new(row, mean).dispatch() / count;
    let options = NormalizeOptions {
        pre_scale_bias: mean,
        scale: (variance + epsilon).sqrt().recip(),
        element_scale: Some(weight),
        bias: 0.0,
        element_bias: Some(bias),
    };
    Normalize::new_mut(row, options).dispatch();
}
