//! The steps between the matrix products, each over whole rows of 32-bit floats.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};

/// The numbers behind a contiguous tensor.
fn rows<'s>(storage: &'s CpuStorage, layout: &Layout) -> Result<&'s [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!("not contiguous"),
    }
}

/// e to the power of `x`, within 2e-7 of it for `x` up to 88; a plain loop over it becomes vector instructions, which one
/// over `f32::exp` does not.
fn exp(x: f32) -> f32 {
    // Adding and taking away 1.5 · 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts, so that the difference stays exact.
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let series = 1.0
        + r * (1.0
            + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r / 720.0)))));
    series * f32::from_bits(((n as i32 + 127) << 23) as u32)
}

/// Each row divided by its root mean square, times a weight (B. Zhang, R. Sennrich, "Root Mean Square Layer
/// Normalization", 2019). The last dimension is a multiple of the weight's length, each part normalised by itself.
#[derive(Debug)]
pub(super) struct RmsNorm {
    weight: Vec<f32>,
    eps: f32,
}

impl RmsNorm {
    pub(super) fn new(weight: Vec<f32>, eps: f32) -> Self {
        Self { weight, eps }
    }

    pub(super) fn apply(self: &Arc<Self>, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(&**self)
    }
}

impl CustomOp1 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let from = rows(storage, layout)?;
        let width = self.weight.len();
        let mut to = Vec::with_capacity(from.len());
        for row in from.chunks_exact(width) {
            let mean = row.iter().map(|x| x * x).sum::<f32>() / width as f32;
            let scale = (mean + self.eps).sqrt().recip();
            to.extend(row.iter().zip(&self.weight).map(|(x, w)| x * scale * w));
        }
        Ok((CpuStorage::F32(to), layout.shape().clone()))
    }
}

/// `gate · sigmoid(gate) · up` (N. Shazeer, "GLU Variants Improve Transformer", 2020).
pub(super) struct SwiGlu;

impl CustomOp2 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(
        &self,
        gate: &CpuStorage,
        gate_layout: &Layout,
        up: &CpuStorage,
        up_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (gate, up) = (rows(gate, gate_layout)?, rows(up, up_layout)?);
        let both = gate.iter().zip(up);
        let to = both
            .map(|(gate, up)| gate * up / (1.0 + exp(-gate)))
            .collect();
        Ok((CpuStorage::F32(to), gate_layout.shape().clone()))
    }
}

/// Rotary positions (J. Su et al., "RoFormer", 2021) as the Qwen family has them: the first half of a head's dimensions is
/// paired with the second.
#[derive(Debug)]
pub(super) struct Rotations {
    half: usize,
    /// Per position, the cosines and then the sines.
    table: Vec<f32>,
}

impl Rotations {
    /// For heads of that size and so many positions.
    pub(super) fn new(head: usize, base: f32, positions: usize) -> Self {
        let half = head / 2;
        let steps: Vec<f64> = (0..half)
            .map(|i| f64::from(base).powf(-2.0 * i as f64 / head as f64))
            .collect();
        let mut table = Vec::with_capacity(positions * head);
        for position in 0..positions {
            let angles = || steps.iter().map(|step| position as f64 * step);
            table.extend(angles().map(|angle| angle.cos() as f32));
            table.extend(angles().map(|angle| angle.sin() as f32));
        }
        Self { half, table }
    }

    /// Turns rows of heads, the first of which stands at `offset`.
    pub(super) fn apply(&self, x: &Tensor, offset: usize) -> Result<Tensor> {
        x.apply_op1_no_bwd(&Turned {
            rotations: self,
            offset,
        })
    }
}

struct Turned<'r> {
    rotations: &'r Rotations,
    offset: usize,
}

impl CustomOp1 for Turned<'_> {
    fn name(&self) -> &'static str {
        "rotary"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let from = rows(storage, layout)?;
        let (_, width) = layout.shape().dims2()?;
        let half = self.rotations.half;
        let mut to = Vec::with_capacity(from.len());
        let table = self
            .rotations
            .table
            .chunks_exact(2 * half)
            .skip(self.offset);
        for (row, turns) in from.chunks_exact(width).zip(table) {
            let (cosines, sines) = turns.split_at(half);
            for head in row.chunks_exact(2 * half) {
                let (a, b) = head.split_at(half);
                let turned = |a: &[f32], b: &[f32], sign: f32, to: &mut Vec<f32>| {
                    let terms = a.iter().zip(b).zip(cosines.iter().zip(sines));
                    to.extend(terms.map(|((a, b), (cos, sin))| a * cos + sign * b * sin));
                };
                turned(a, b, -1.0, &mut to);
                turned(b, a, 1.0, &mut to);
            }
        }
        if to.len() != from.len() {
            bail!("beyond the last position");
        }
        Ok((CpuStorage::F32(to), layout.shape().clone()))
    }
}

/// The softmax of each row times `scale`, where a position sees itself and those before it. Rows go round through `count`
/// positions, the first of which is `offset`.
pub(super) struct CausalSoftmax {
    pub(super) scale: f32,
    pub(super) offset: usize,
    pub(super) count: usize,
}

impl CustomOp1 for CausalSoftmax {
    fn name(&self) -> &'static str {
        "causal-softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let from = rows(storage, layout)?;
        let width = self.offset + self.count;
        let mut to = vec![0.0; from.len()];
        let both = from.chunks_exact(width).zip(to.chunks_exact_mut(width));
        for (n, (row, out)) in both.enumerate() {
            let seen = self.offset + n % self.count + 1;
            let (row, out) = (&row[..seen], &mut out[..seen]);
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for (x, out) in row.iter().zip(out.iter_mut()) {
                *out = exp((x - most) * self.scale);
            }
            let total = out.iter().sum::<f32>().recip();
            out.iter_mut().for_each(|x| *x *= total);
        }
        Ok((CpuStorage::F32(to), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn tensor(numbers: &[f32], shape: (usize, usize)) -> Tensor {
        Tensor::from_slice(numbers, shape, &Device::Cpu).unwrap()
    }

    fn near(tensor: &Tensor, want: &[f32]) {
        let got: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-5, "{got} {want}");
        }
    }

    #[test]
    fn powers_of_e_are_near() {
        for n in -8_700..=8_800 {
            let x = n as f32 / 100.0;
            let want = f64::from(x).exp();
            let off = (f64::from(exp(x)) - want).abs() / want;
            assert!(off < 4e-7, "{x}: {off}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn steps_are_what_they_are_defined_as() {
        let x = tensor(&[3.0, 4.0, 0.0, 2.0], (2, 2));
        let norm = Arc::new(RmsNorm::new(vec![1.0, 2.0], 0.0));
        let (a, b) = (12.5_f32.sqrt(), 2.0_f32.sqrt());
        near(&norm.apply(&x).unwrap(), &[3.0 / a, 8.0 / a, 0.0, 4.0 / b]);

        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        let glu = x.apply_op2_no_bwd(&x, &SwiGlu).unwrap();
        near(
            &glu,
            &[
                9.0 * sigmoid(3.0),
                16.0 * sigmoid(4.0),
                0.0,
                4.0 * sigmoid(2.0),
            ],
        );

        let turned = Rotations::new(2, 10_000.0, 3).apply(&x, 1).unwrap();
        let (sin, cos) = 1.0_f32.sin_cos();
        let (sin2, cos2) = 2.0_f32.sin_cos();
        near(
            &turned,
            &[
                3.0 * cos - 4.0 * sin,
                4.0 * cos + 3.0 * sin,
                -2.0 * sin2,
                2.0 * cos2,
            ],
        );
        assert!(Rotations::new(2, 10_000.0, 2).apply(&x, 1).is_err());

        let scores = tensor(
            &[0.0, 9.0, 9.0, 2.0, 2.0, 9.0, 0.0, 1.0, 9.0, 5.0, 5.0, 9.0],
            (4, 3),
        );
        let soft = CausalSoftmax {
            scale: 1.0,
            offset: 1,
            count: 2,
        };
        let soft = scores.apply_op1_no_bwd(&soft).unwrap();
        let got: Vec<Vec<f32>> = soft.to_vec2().unwrap();
        assert_eq!(got[0][2], 0.0, "the future is not seen");
        assert!(got[1][2] > 0.99);
        near(
            &soft.narrow(0, 2, 1).unwrap(),
            &[sigmoid(-1.0), sigmoid(1.0), 0.0],
        );
        for row in got {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
