//! Arithmetic on rows of numbers, written once and compiled for each instruction set; the processor decides at run time.

use rten_simd::{
    Isa, SimdOp, SimdUnaryOp,
    ops::{BitOps, NumOps, ToFloat},
};
use rten_vecmath::{
    ExtendInit, Gelu, MinMax, Normalize, NormalizeOptions, Quantize, Sum, SumSquareSub,
};

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
        debug_assert!(self.into.len().is_multiple_of(lanes));
        let row = floats.splat(self.row);
        let zero = ints.splat(i32::from(self.zero));
        let sums = self.sums.chunks_exact(lanes);
        let sums = sums.zip(self.totals.chunks_exact(lanes)).map(
            #[inline(always)]
            |(sums, totals)| {
                let zeros = ints.mul(zero, ints.load(totals));
                ints.to_float(ints.sub(ints.load(sums), zeros))
            },
        );
        let columns = self.column.chunks_exact(lanes);
        let values = sums.zip(columns.zip(self.bias.chunks_exact(lanes))).map(
            #[inline(always)]
            |(sums, (column, bias))| {
                let scale = floats.mul(row, floats.load(column));
                floats.mul_add(sums, scale, floats.load(bias))
            },
        );
        for (into, value) in self.into.chunks_exact_mut(lanes).zip(values) {
            let value = match self.then {
                Then::Write => value,
                Then::Add => floats.add(value, floats.load(into)),
                Then::Gelu => Gelu {}.eval(isa, value),
            };
            floats.store(value, into);
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
        self.numbers.clear();
        self.zeros.clear();
        self.scales.clear();
        self.numbers.reserve(rows.len());
        for row in rows.chunks_exact(width) {
            let (least, most) = MinMax::new(row).dispatch();
            // The range holds 0, so that 0 stays exact.
            let (least, most) = (least.min(0.0), most.max(0.0));
            let scale = ((most - least) / 255.0).max(f32::MIN_POSITIVE);
            let zero = (-least / scale).round() as u8;
            self.numbers.extend_init(|spare| {
                Quantize::new(row, &mut spare[..width], scale.recip(), zero).dispatch()
            });
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
