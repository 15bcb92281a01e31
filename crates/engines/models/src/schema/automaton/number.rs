//! A JSON number within bounds, byte by byte.

/// The most digits before and after the point.
const MOST_DIGITS: (usize, usize) = (15, 6);

/// A number that has begun.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    whole: bool,
    least: f64,
    most: f64,
    written: String,
}

impl Number {
    /// Nothing of a number within bounds.
    pub(super) fn new(whole: bool, least: f64, most: f64) -> Self {
        Self {
            whole,
            least,
            most,
            written: String::new(),
        }
    }

    /// With another byte, if it can come.
    pub(super) fn after(mut self, byte: u8) -> Option<Self> {
        let written = self.written.as_bytes();
        let digits = written.strip_prefix(b"-").unwrap_or(written);
        let point = digits.iter().position(|b| *b == b'.');
        let fits = match (byte, point) {
            (b'-', _) => written.is_empty() && self.least < 0.0,
            // -0 is a number, but not a whole one to those who read it.
            (b'0', None) if digits.is_empty() => !self.whole || written.is_empty(),
            (b'0'..=b'9', None) => digits != b"0" && digits.len() < MOST_DIGITS.0,
            (b'0'..=b'9', Some(point)) => digits.len() - point <= MOST_DIGITS.1,
            (b'.', None) => !self.whole && !digits.is_empty(),
            _ => false,
        };
        self.written.push(char::from(byte));
        (fits && self.is_within_reach()).then_some(self)
    }

    /// Whether it may end here.
    pub(super) fn is_sound(&self) -> bool {
        let ended = self.written.ends_with(|c: char| c.is_ascii_digit());
        let value: f64 = self.written.parse().unwrap_or(f64::NAN);
        ended && value >= self.least && value <= self.most
    }

    /// Whether what can still be written lies within the bounds.
    fn is_within_reach(&self) -> bool {
        let digits = self.written.strip_prefix('-');
        let (digits, low, high) = match digits {
            Some(digits) => (digits, -self.most, -self.least),
            None => (self.written.as_str(), self.least, self.most),
        };
        let low = low.max(0.0);
        if digits.is_empty() {
            return low <= high;
        }
        let value: f64 = digits.trim_end_matches('.').parse().unwrap_or(f64::NAN);
        if let Some(point) = digits.find('.') {
            let unit = 0.1_f64.powi((digits.len() - point - 1) as i32);
            return value <= high && value + unit > low;
        }
        // A zero takes no further digits before the point.
        let longer = if value == 0.0 {
            0
        } else {
            MOST_DIGITS.0 - digits.len()
        };
        (0..=longer).any(|more| {
            let unit = 10_f64.powi(more as i32);
            let (from, to) = (value * unit, (value + 1.0) * unit);
            if self.whole {
                from.max(low.ceil()) <= (to - 1.0).min(high.floor())
            } else {
                from <= high && to > low
            }
        })
    }
}
