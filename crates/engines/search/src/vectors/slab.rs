//! Vectors of one length as signed bytes, each with its scale: a quarter of the memory of floats. The error of an inner
//! product of unit vectors stays below .002 (see the tests), less than what separates neighbours.

use pulp::Arch;

/// Vectors in a chunk: growing copies no more than that.
const CHUNK: usize = 4096;

/// Vectors by place.
pub(super) struct Slab {
    dimensions: usize,
    chunks: Vec<Vec<i8>>,
    scales: Vec<f32>,
    arch: Arch,
}

/// A vector as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Packed {
    pub(super) scale: f32,
    pub(super) values: Vec<i8>,
}

impl Packed {
    /// Rounds a vector's components to 127 steps of the largest.
    pub(super) fn of(vector: &[f32]) -> Self {
        let largest = vector.iter().fold(0f32, |m, v| m.max(v.abs()));
        let scale = largest / 127.0;
        let step = if scale > 0.0 { scale.recip() } else { 0.0 };
        #[allow(clippy::cast_possible_truncation)] // between −127 and 127
        let values = vector.iter().map(|v| (v * step).round() as i8).collect();
        Self { scale, values }
    }
}

impl Slab {
    pub(super) fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            chunks: Vec::new(),
            scales: Vec::new(),
            arch: Arch::new(),
        }
    }

    /// Adds a vector and returns its place.
    pub(super) fn push(&mut self, scale: f32, values: &[i8]) -> u32 {
        let place = self.scales.len();
        if place.is_multiple_of(CHUNK) {
            // A small library needs no chunk of megabytes.
            self.chunks.push(Vec::new());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.extend_from_slice(values);
        }
        self.scales.push(scale);
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// The vector at a place.
    pub(super) fn get(&self, place: u32) -> (f32, &[i8]) {
        let place = place as usize;
        let from = place % CHUNK * self.dimensions;
        let values = &self.chunks[place / CHUNK][from..from + self.dimensions];
        (self.scales[place], values)
    }

    /// The inner products of a query with the vectors at some places, in order.
    pub(super) fn products(&self, query: &Packed, places: &[u32], out: &mut Vec<f32>) {
        out.clear();
        out.reserve(places.len());
        // Compiled for the widest instructions of this machine, chosen at run time.
        self.arch.dispatch(|| {
            for place in places {
                let (scale, values) = self.get(*place);
                out.push(scale * query.scale * product(&query.values, values) as f32);
            }
        });
    }
}

#[inline(always)]
fn product(a: &[i8], b: &[i8]) -> i32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(seed: u32, n: usize) -> Vec<f32> {
        let mut state = seed;
        let raw: Vec<f32> = (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect();
        let norm = raw.iter().map(|v| v * v).sum::<f32>().sqrt();
        raw.iter().map(|v| v / norm).collect()
    }

    #[test]
    fn products_of_packed_vectors_are_close_to_those_of_floats() {
        let n = 384;
        let mut slab = Slab::new(n);
        let vectors: Vec<Vec<f32>> = (1..5000).map(|s| unit(s, n)).collect();
        for v in &vectors {
            let packed = Packed::of(v);
            slab.push(packed.scale, &packed.values);
        }
        let query = unit(77_777, n);
        let places: Vec<u32> = (0..vectors.len() as u32).collect();
        let mut out = Vec::new();
        slab.products(&Packed::of(&query), &places, &mut out);
        for (v, got) in vectors.iter().zip(&out) {
            let want: f32 = v.iter().zip(&query).map(|(a, b)| a * b).sum();
            assert!((want - got).abs() < 0.002, "{want} {got}");
        }
        assert_eq!(out.len(), 4999);
    }

    #[test]
    fn a_vector_of_zeros_is_no_trouble() {
        let packed = Packed::of(&[0.0; 8]);
        assert_eq!(packed.values, [0; 8]);
        let mut slab = Slab::new(8);
        let place = slab.push(packed.scale, &packed.values);
        let mut out = Vec::new();
        slab.products(&packed, &[place], &mut out);
        assert_eq!(out, [0.0]);
    }
}
