//! The straight lines of a page, from which tables are told.

use lopdf::content::Operation;

use super::content::numbers;
use super::matrix::Matrix;

/// Straight lines of one page.
const LINES: usize = 20_000;

/// A horizontal or vertical line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) x0: f32,
    pub(super) y0: f32,
    pub(super) x1: f32,
    pub(super) y1: f32,
}

/// The path that is being drawn.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    path: Vec<Segment>,
    from: (f32, f32),
    start: (f32, f32),
}

impl Drawing {
    /// Follows one operator; what is painted goes to `out`.
    pub(super) fn operation(&mut self, operation: &Operation, ctm: Matrix, out: &mut Vec<Segment>) {
        match operation.operator.as_str() {
            "m" => {
                if let Some([x, y]) = numbers(operation) {
                    self.from = ctm.apply(x, y);
                    self.start = self.from;
                }
            }
            "l" => {
                if let Some([x, y]) = numbers(operation) {
                    let to = ctm.apply(x, y);
                    self.straight(to);
                }
            }
            "c" | "v" | "y" => {
                if let Some([x, y]) = numbers(operation) {
                    self.from = ctm.apply(x, y);
                }
            }
            "h" => self.straight(self.start),
            "re" => {
                if let Some([x, y, w, h]) = numbers(operation) {
                    let (from, to) = (ctm.apply(x, y), ctm.apply(x + w, y + h));
                    self.rectangle(from, to);
                }
            }
            "S" | "s" | "f" | "F" | "f*" | "B" | "B*" | "b" | "b*" => {
                if matches!(operation.operator.as_str(), "s" | "b" | "b*") {
                    self.straight(self.start);
                }
                let room = LINES.saturating_sub(out.len());
                out.extend(self.path.drain(..).take(room));
                self.path.clear();
            }
            "n" => self.path.clear(),
            _ => {}
        }
    }

    fn straight(&mut self, to: (f32, f32)) {
        let ((x0, y0), (x1, y1)) = (self.from, to);
        self.from = to;
        let flat = (y1 - y0).abs() < 1.0 && (x1 - x0).abs() > 3.0;
        let upright = (x1 - x0).abs() < 1.0 && (y1 - y0).abs() > 3.0;
        if (flat || upright) && self.path.len() < LINES {
            self.path.push(Segment {
                x0: x0.min(x1),
                y0: y0.min(y1),
                x1: x0.max(x1),
                y1: y0.max(y1),
            });
        }
    }

    /// A thin rectangle is a line, another one four.
    fn rectangle(&mut self, (x0, y0): (f32, f32), (x1, y1): (f32, f32)) {
        let (x0, x1) = (x0.min(x1), x0.max(x1));
        let (y0, y1) = (y0.min(y1), y0.max(y1));
        let (middle_x, middle_y) = (f32::midpoint(x0, x1), f32::midpoint(y0, y1));
        let corners = if y1 - y0 < 3.0 {
            vec![(x0, middle_y), (x1, middle_y)]
        } else if x1 - x0 < 3.0 {
            vec![(middle_x, y0), (middle_x, y1)]
        } else {
            vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        };
        self.from = corners[0];
        self.start = corners[0];
        for corner in &corners[1..] {
            self.straight(*corner);
        }
    }
}
